// The worker's side: the same model behind promises.
import { serve } from "../../dist/worker.js";
import { makeModel } from "./model.js";

serve(makeModel);
