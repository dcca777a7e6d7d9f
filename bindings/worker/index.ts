/**
 * A model that trains and runs in a worker, used through promises.
 *
 * @module gatewise/worker
 */
export { connect, type ConnectOptions, type WorkerLike } from "./connect.ts";
export { RemoteModel, RemoteStream, type RemoteFitOptions, type Transferring } from "./remote.ts";
export { serve, type ServeOptions, type MakeModel, type ServedModel } from "./serve.ts";
