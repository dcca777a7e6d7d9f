/** The part of Node that the oracle tests use, for workers of a browser: reads files of the server synchronously. */

/** Reads what the server has under a path. */
function get(path: string | URL, type: "arraybuffer" | "text"): XMLHttpRequest {
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  request.responseType = type;
  request.send();
  if (request.status !== 200) throw new Error(`expected a file, got ${request.status} for ${String(path)}`);
  return request;
}

export function readFileSync(path: string | URL, encoding?: "utf8"): string | Uint8Array {
  return encoding ? get(path, "text").responseText : new Uint8Array(get(path, "arraybuffer").response as ArrayBuffer);
}

export const readdirSync = (path: string): string[] => JSON.parse(get(`${path}/`, "text").responseText) as string[];
export const existsSync = (): boolean => true;
export const join = (...parts: string[]): string => parts.join("/");
export const fileURLToPath = (url: URL): string => url.pathname;
