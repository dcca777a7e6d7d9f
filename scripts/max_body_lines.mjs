// A rule for ESLint: max-lines-per-function for kernels. It counts the lines of code between a function's braces, but
// not the labels of cases. Prettier gives each argument of a kernel (up to 22) and each label of a table (up to 37) a
// line of its own. They do not make a function harder to read, and a kernel that is split has to repeat the arguments.

/** The lines on which tokens of a block begin, braces left out. Comments are not tokens. */
const linesOf = (block, sourceCode) =>
  new Set(
    sourceCode
      .getTokens(block)
      .slice(1, -1)
      .map(({ loc }) => loc.start.line),
  );

/** True for a label without code on its line. */
const standsAlone = ({ loc, consequent: [first] }) => first === undefined || first.loc.start.line > loc.start.line;

export const maxBodyLines = {
  meta: { type: "suggestion", schema: [{ type: "integer" }] },
  create(context) {
    const [max] = context.options;
    let labels = 0;
    return {
      SwitchCase(node) {
        if (standsAlone(node)) labels++;
      },
      "FunctionDeclaration:exit"({ id, body }) {
        const lines = linesOf(body, context.sourceCode).size - labels;
        labels = 0;
        if (lines > max) {
          context.report({ node: id, message: `'${id.name}' has ${lines} lines of code. Maximum allowed is ${max}.` });
        }
      },
    };
  },
};
