// The page of one_file.mjs: hears a name letter by letter and shows what the model thinks.
import { loadExported } from "gatewise/exported";
import { characterTokenizer } from "gatewise/text";

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from takes ten times as long
  return bytes;
}

const started = performance.now();
const about = JSON.parse(document.getElementById("about").textContent);
const { stream } = loadExported(bytesOf(about.model));
const tokenizer = characterTokenizer.from(about.tokenizer);
const awake = performance.now() - started;

const [field, list, note] = ["name", "guesses", "note"].map((id) => document.getElementById(id));
const rows = about.languages.map((language) => {
  const row = document.createElement("li");
  row.innerHTML = '<span></span><span class="bar"><i></i></span><span></span>';
  row.firstChild.textContent = language;
  list.append(row);
  return row;
});

/** Hears the name from its first letter on; letters that it never learnt are passed over. */
function hear(name) {
  const letters = [...name.toLowerCase().trim()].filter((letter) => tokenizer.vocabulary.includes(letter));
  const begun = performance.now();
  stream.reset();
  let guess = new Float32Array(rows.length);
  for (const token of tokenizer.encode(letters.join(""))) guess = stream.step([token]);
  const took = performance.now() - begun;
  for (const [i, row] of rows.entries()) {
    row.querySelector("i").style.width = `${100 * guess[i]}%`;
    row.lastChild.textContent = letters.length > 0 ? `${Math.round(100 * guess[i])} %` : "";
  }
  note.textContent =
    letters.length > 0
      ? `${letters.length} letters in ${(1000 * took).toFixed(0)} µs.`
      : `Awake after ${awake.toFixed(0)} ms.`;
}

field.oninput = () => hear(field.value);
field.focus();
hear(field.value);
