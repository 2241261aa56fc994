/** @file Fields that take a query propose what may be typed next: the term at the cursor is completed. */

const MOST = 12;

/** @typedef {[string, string]} Word what is typed, and what it is */

/** Take over the fields of the page. */
export function startCompleting() {
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-words], [data-words-at]"))) new Proposals(field);
}

class Proposals {
  /** @param {HTMLInputElement} field */
  constructor(field) {
    this.field = field;
    /** @type {Promise<Word[]> | null} */
    this.words = null;
    this.chosen = -1;
    this.list = document.createElement("ul");
    this.list.className = "proposals";
    this.list.id = `proposals-${field.name}`;
    this.list.role = "listbox";
    this.list.hidden = true;
    document.body.append(this.list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": this.list.id, "aria-autocomplete": "list" })) field.setAttribute(name, value);
    field.addEventListener("input", () => this.propose());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("keydown", (event) => this.onKey(event));
    // Not click: the field would lose the focus, and the list with it.
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const item = event.target instanceof Element ? event.target.closest("li") : null;
      if (item) this.take(item.dataset.word ?? "");
    });
  }

  /** @returns {Promise<Word[]>} read when somebody begins to type */
  read() {
    const { words, wordsAt } = this.field.dataset;
    if (words) return Promise.resolve(JSON.parse(words));
    this.words ??= fetch(`${wordsAt}${location.search}`).then((answer) => (answer.ok ? answer.json() : []), () => []);
    return this.words;
  }

  /** @returns {{start: number, text: string}} the term before the cursor, its minus left aside */
  term() {
    const end = this.field.selectionStart ?? 0;
    const before = this.field.value.slice(0, end);
    const start = before.search(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)*$/);
    const minus = before[start] === "-" ? 1 : 0;
    return { start: start + minus, text: before.slice(start + minus) };
  }

  async propose() {
    const { text } = this.term();
    const wanted = text.toLowerCase();
    const words = wanted ? await this.read() : [];
    if (text !== this.term().text || document.activeElement !== this.field) return;
    // A name stands for its values once its sign is typed; until then they would bury the other names.
    const isName = !/[:=<>]/.test(wanted);
    const fitting = words.filter(([word]) => word.toLowerCase().includes(wanted) && word !== text && (!isName || !isValue(word)));
    fitting.sort(([one], [other]) => Number(other.toLowerCase().startsWith(wanted)) - Number(one.toLowerCase().startsWith(wanted)));
    this.show(fitting.slice(0, MOST));
  }

  /** @param {Word[]} words */
  show(words) {
    this.chosen = -1;
    this.list.replaceChildren(...words.map(([word, hint], place) => {
      const item = document.createElement("li");
      item.id = `${this.list.id}-${place}`;
      item.role = "option";
      item.dataset.word = word;
      const said = document.createElement("span");
      said.textContent = hint;
      item.append(word, said);
      return item;
    }));
    const box = this.field.getBoundingClientRect();
    Object.assign(this.list.style, { left: `${box.left + scrollX}px`, top: `${box.bottom + scrollY + 2}px`, minWidth: `${box.width}px` });
    this.list.hidden = !words.length;
    this.field.setAttribute("aria-expanded", String(!this.list.hidden));
    this.field.removeAttribute("aria-activedescendant");
  }

  close() {
    this.show([]);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (this.list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Tab" || (event.key === "Enter" && this.chosen >= 0)) this.take(this.items()[Math.max(this.chosen, 0)].dataset.word ?? "");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  items() {
    return /** @type {HTMLElement[]} */ ([...this.list.children]);
  }

  /** @param {1 | -1} step */
  move(step) {
    const items = this.items();
    this.chosen = (this.chosen + step + items.length + (this.chosen < 0 && step < 0 ? 1 : 0)) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === this.chosen)));
    items[this.chosen].scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", items[this.chosen].id);
  }

  /**
   * Put *word* in the place of the term; after a name its value comes next.
   * @param {string} word
   */
  take(word) {
    const { start, text } = this.term();
    const isWhole = isValue(word);
    this.field.setRangeText(isWhole ? `${word} ` : word, start, start + text.length, "end");
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
    if (isWhole) this.close();
  }
}

/**
 * @param {string} word
 * @returns {boolean} whether it is a term already, not only the beginning of one
 */
function isValue(word) {
  return !/[:<]$/.test(word);
}
