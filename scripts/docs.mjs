// npm run docs: the API reference of every entry, from the docblocks, in build/docs. Fails when an export has none.
import { Application, TSConfigReader } from "typedoc";
import { ENTRIES } from "./entries.mjs";
