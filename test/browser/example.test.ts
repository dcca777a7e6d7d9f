/** The page of examples/browser: it trains, writes, saves and loads, here and in a Worker, and stops when asked to. */
import * as assert from "uvu/assert";
import { done, examplePage, status } from "./example_page.ts";

examplePage("example browser", (onPage) => {
  for (const inWorker of [false, true]) {
    const where = inWorker ? "in a worker" : "on the page's own thread";
    onPage(`trains, writes, saves and loads ${where}`, async (page) => {
      if (inWorker) {
        await page.click("#worker");
        assert.match(await done(page), /it now runs in a worker/);
      }
      await page.click("#train");
      assert.match(await done(page), new RegExp(`^Trained ${where}: loss [\\d.]+e-[3-9]`));
      await page.click("#generate");
      const [, steps, model, silence] = /^It wrote (\d+) steps, off by (\d\.\d+) .*; silence is off by (\d\.\d+)/.exec(
        await done(page),
      )!;
      assert.is(steps, "200");
      assert.ok(Number(model) < 0.7 * Number(silence), `off by ${model}, silence by ${silence}`);

      const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
      const file = await download.path();
      assert.match(await done(page), /^Saved \d+ bytes/);
      await page.reload();
      await done(page);
      await page.setInputFiles("#file", file);
      await page.waitForFunction(() => document.getElementById("status")!.textContent!.startsWith("Loaded"));
      await page.click("#generate");
      assert.match(
        await done(page),
        new RegExp(`^It wrote 200 steps, off by ${model} `),
        "the loaded model writes as the saved one",
      );
    });
  }

  onPage("stops when asked to, and shows errors", async (page) => {
    await page.click("#train");
    await page.click("#train");
    assert.match(await done(page), /^Stopped\./);
    await page.setInputFiles("#file", { name: "no.safetensors", mimeType: "", buffer: Buffer.from("no model") });
    await page.waitForSelector("#status.error");
    assert.match(await status(page), /^FormatError: /);
    await page.click("#train");
    await page.click("#train");
    assert.match(await done(page), /^Stopped\./, "the model before is still there");
  });
});
