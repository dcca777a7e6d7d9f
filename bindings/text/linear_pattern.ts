/** Regular expressions out of files, which are not trusted: one may take forever on a text of thirty characters. */

/** One character: itself, an escape, a class. */
const CHARACTER = String.raw`(?:[^\\^$.*+?()[\]{}|]|\.|\\(?:[dDwWsStnrfv]|[pP]\{[\w=]+\}|u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|[^\w])|\[(?:[^\\\]]|\\.)+\])`;

/** Characters, of which the last may repeat: what follows nothing can fail, and nothing is tried twice. */
const ALTERNATIVE = `${CHARACTER}+[*+]?`;

const LINEAR = new RegExp(`^${ALTERNATIVE}(?:\\|${ALTERNATIVE})*$`);

/** Flags that change nothing about that. */
const FLAGS = /^[gimsuy]*$/;

/**
 * Whether matching by a pattern takes time in proportion to the text, for all that its form says: alternatives of characters and
 * classes, of which the last may repeat, such as `\p{L}+|[^\p{L}\s]`.
 */
export const isLinear = (source: string, flags: string): boolean => LINEAR.test(source) && FLAGS.test(flags);
