// The other end of protocol.mjs: starts the process of a peer and asks it.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pack, unpack } from "./protocol.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

export class Peer {
  /** Resolvers of the answers to come, in order. */
  #waiting = [];

  constructor(command, args) {
    this.stderr = "";
    this.child = spawn(command, args, { cwd: root, stdio: ["pipe", "ignore", "pipe", "pipe"] });
    this.child.stderr.setEncoding("utf8").on("data", (text) => (this.stderr = (this.stderr + text).slice(-2000)));
    this.child.stdin.on("error", () => {}); // `exit` tells when the process has ended
    createInterface({ input: this.child.stdio[3] }).on("line", (line) =>
      this.#waiting.shift()?.(JSON.parse(line, unpack)),
    );
    const ended = (how) => this.#waiting.splice(0).forEach((resolve) => resolve({ error: `${how}\n${this.stderr}` }));
    this.child.on("error", ({ message }) => ended(message));
    this.child.on("exit", (code, signal) => ended(`ended with ${signal ?? code}`));
  }

  /** Resolves to the answer, which is `{ refused }` or `{ error }` if the peer cannot do it. */
  ask(op, message = {}) {
    const { exitCode, signalCode, pid } = this.child;
    if (exitCode !== null || signalCode !== null || pid === undefined)
      return Promise.resolve({ error: `has ended\n${this.stderr}` });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify({ op, ...message }, pack)}\n`);
    });
  }

  end() {
    this.child.stdin.end();
  }
}
