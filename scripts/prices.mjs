// node scripts/prices.mjs: makes examples/data/power_prices.csv, four years of invented daily prices of a megawatt
// hour. Needs a build. The file is in the repository, so there is no need to run this again.
//
//   price = level, rising slowly
//         + winter, dearer than summer
//         + weekend discount
//         + weather: weeks of wind or calm that fade by a fifth a day, and daily noise
import { writeFileSync } from "node:fs";
import { Random } from "gatewise/data";

const DAYS = 4 * 365 + 1;
const FIRST = Date.UTC(2020, 0, 1); // a Wednesday
const DAY = 86_400_000;
const DISCOUNT = [24, 0, 0, 0, 0, 3, 15]; // by day of the week from Sunday on, in €

/** The file's text, the same on every machine. */
export function powerPrices() {
  const random = new Random(2020);
  let weather = 0;
  const rows = Array.from({ length: DAYS }, (_, day) => {
    const date = new Date(FIRST + day * DAY);
    weather = 0.8 * weather + 4.5 * random.normal();
    const season = 9 * Math.cos((2 * Math.PI * day) / 365.25);
    const price = 68 + 0.004 * day + season - DISCOUNT[date.getUTCDay()] + weather + 1.5 * random.normal();
    return `${date.toISOString().slice(0, 10)},${price.toFixed(2)}`;
  });
  return `date,price\n${rows.join("\n")}\n`;
}

if (process.argv[1]?.endsWith("prices.mjs"))
  writeFileSync(new URL("../examples/data/power_prices.csv", import.meta.url), powerPrices());
