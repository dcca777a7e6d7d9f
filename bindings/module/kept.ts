/** Tells one kind of thing that modules keep from all others, and gives its type: see {@link ModuleBase.kept}. */
export class KeptKey<T> {
  declare readonly type: T;
}
