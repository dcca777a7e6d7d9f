/** Files of others, told apart by how they begin: for the error when one is no safetensors. */

const READ_THERE = "read its weights there and give them to setWeights";

/** How a file begins, and what it is then. */
const FORMATS: readonly [starts: readonly number[], is: string][] = [
  [[0x89, 0x48, 0x44, 0x46], `HDF5, as Keras writes .h5; ${READ_THERE}`],
  [[0x50, 0x4b, 3, 4], `a zip, as .keras files and checkpoints of PyTorch are; ${READ_THERE}`],
  [[0x1f, 0x8b], "something compressed by gzip; unpack it first"],
];

const isText = (start: string, ...words: string[]): boolean => words.some((word) => start.startsWith(word));

/**
 * What the bytes are, and what to do with it; undefined when nobody knows. To be asked only of what is no safetensors, which may
 * begin as a pickle does.
 */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  const known = FORMATS.find(([starts]) => starts.every((byte, i) => bytes[i] === byte));
  if (known) return known[1];
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
    return `a pickle, as torch.save of PyTorch writes it; ${READ_THERE}`;
  // fields 1 and 2 of ONNX' ModelProto: the version of the format, and who wrote it
  if (bytes[0] === 8 && bytes[1] < 32 && bytes[2] === 0x12) return `an ONNX model; ${READ_THERE}`;
  const start = String.fromCharCode(...bytes.subarray(0, 64)).trimStart().toLowerCase(); // prettier-ignore
  if (isText(start, "<!doctype", "<html", "<?xml", "<head"))
    return "a page of HTML, perhaps about an error: look at the address, and at response.ok";
  if (isText(start, "version https://git-lfs")) return "a pointer of Git LFS; fetch the file itself with git lfs pull";
  if (isText(start, "{", "[")) return "JSON, such as a model.json of TensorFlow.js; this reads what model.save() gave";
  return undefined;
}
