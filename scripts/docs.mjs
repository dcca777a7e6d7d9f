// npm run docs: the reference of every entry of the package, from its docblocks, as pages in build/docs.
import { relative, sep } from "node:path";
import { Application, Comment, CommentTag, Converter, LogLevel, Logger, ReflectionKind, TSConfigReader } from "typedoc";
import { ENTRIES } from "./entries.mjs";
import { root } from "./files.mjs";

const OUT = "build/docs";

/** The parts of a module's page, in order: by the file or folder below bindings/ that something is declared in. */
const PARTS = [
  ["Models", ["models", "module", "inference", "saving", "export", "quantization", "index.ts"]],
  ["Layers and cells", ["layers"]],
  ["Losses and metrics", ["losses", "metrics"]],
  ["Training", ["optimizers", "training"]],
  ["Functions of your own", ["models/transforms.ts", "ops", "graph"]],
  ["Arrays", ["base"]],
  ["Builds", ["runtime"]],
  ["Errors", ["base/errors.ts"]],
];

/** Where the modules' own names stand, whatever files they are made in. */
const PLACES = {
  layers: "Layers and cells",
  cells: "Layers and cells",
  ops: "Functions of your own",
  Module: "Models",
  sequential: "Models",
  loadModel: "Models",
};

const KINDS =
  ReflectionKind.Namespace |
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Function |
  ReflectionKind.Variable;

/** Keeps what TypeDoc has to say. */
class Messages extends Logger {
  lines = [];

  log(message, level) {
    if (level >= LogLevel.Warn) this.lines.push(message);
  }
}

/** The part that something exported belongs to. */
function partOf({ name, sources = [] }) {
  if (Object.hasOwn(PLACES, name)) return PLACES[name];
  const file = relative("bindings", sources[0]?.fullFileName ? relative(root, sources[0].fullFileName) : "").replaceAll(
    sep,
    "/",
  );
  return PARTS.flatMap(([part, places]) => places.map((place) => [part, place]))
    .filter(([, place]) => file === place || file.startsWith(`${place}/`))
    .sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

/** Sorts the exports of `gatewise`, of which there are many, into parts. */
function arrange({ project }) {
  const main = project.children.find(({ name }) => name === "gatewise");
  for (const child of main.children) {
    const part = child.kindOf(KINDS) && partOf(child);
    if (!part) continue;
    child.comment ??= new Comment();
    child.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: part }]));
  }
}

/**
 * Reads the docblocks.
 *
 * @returns the reference, and the mistakes found: exports without a docblock, types in signatures that no entry
 * exports, links to nowhere
 */
export async function readReference() {
  process.chdir(root);
  const app = await Application.bootstrap(
    {
      name: "gatewise",
      entryPoints: Object.values(ENTRIES).map((file) => `bindings/${file}.ts`),
      tsconfig: "tsconfig.json",
      readme: "none",
      disableGit: true,
      displayBasePath: ".",
      sourceLinkTemplate: "../../../{path}", // from a page to the file in this tree
      hideGenerator: true,
      excludeInternal: true,
      excludePrivate: true,
      excludeExternals: true,
      categorizeByGroup: false,
      categoryOrder: [...PARTS.map(([part]) => part), "*"],
      sort: ["kind", "source-order"],
      kindSortOrder: ["Namespace", "Function", "Class", "Variable", "Interface", "TypeAlias"],
      navigation: { includeCategories: true, includeGroups: false },
      // what other rooms see of modules and optimizers
      intentionallyNotExported: [
        ...["ModuleBase", "Network", "WithStates"], // bases and types that users meet under other names
        ...["ElementwiseName", "ROWWISE", "TABLE", "SHORT_NAMES", "factories", "OptionsByOptimizer"], // of names
      ],
      validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true, rewrittenLink: true },
      requiredToBeDocumented: [
        "Module",
        "Namespace",
        "Class",
        "Interface",
        "TypeAlias",
        "Function",
        "Variable",
        "Method",
        "Property",
        "Accessor",
      ],
    },
    [new TSConfigReader()],
  );
  const messages = new Messages();
  app.logger = messages;
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, arrange);
  const project = await app.convert();
  if (!project) throw new Error(messages.lines.join("\n"));
  app.validate(project);
  return { app, project, messages: messages.lines };
}

if (process.argv[1]?.endsWith("docs.mjs")) {
  const { app, project, messages } = await readReference();
  for (const message of messages) console.error(message);
  if (messages.length > 0) process.exitCode = 1;
  else await app.generateDocs(project, OUT);
}
