"use strict";
/* Light or dark, tables that sort and filter, and what is printed. */

/* What `pack` of elements.py has packed, as a response. */
const unpack = (letters) => {
  const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
  const packed = new Blob([bytes]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("gzip")));
};

(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const changed = () => {
    theme.textContent = isDark() ? "light colours" : "dark colours";
    dispatchEvent(new Event("themechange"));
  };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    changed();
  });
  dark.addEventListener("change", changed);
  changed();

  // What is closed is not printed.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((each) => (each.open = true));
  });
  addEventListener("afterprint", () => closed.forEach((each) => (each.open = false)));

  // By number where a cell has one, else by its words; what is empty comes last either way.
  const key = (row, column) => {
    const cell = row.cells[column];
    const order = cell.dataset.order;
    return order === undefined ? cell.textContent.trim() : Number(order);
  };
  const isEmpty = (value) => value === "-" || value === "";
  const compare = (a, b, sign) => {
    if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  };

  const sort = (table, column, direction) => {
    const body = table.tBodies[0];
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    rows.sort(([a], [b]) => compare(a, b, sign));
    body.append(...rows.map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((head, number) =>
      head.setAttribute("aria-sort", number === column ? direction : "none"));
  };

  const addFilter = (box, table) => {
    const rows = [...table.tBodies[0].rows];
    const line = document.createElement("div");
    line.className = "filter";
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("span");
    input.type = "search";
    count.setAttribute("aria-live", "polite");
    label.append("only rows with", input);
    line.append(label, count);
    box.before(line);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    });
  };

  document.querySelectorAll(".sortable").forEach((box) => {
    const table = box.querySelector("table");
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      head.setAttribute("aria-sort", "none");
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      head.querySelector("button").addEventListener("click", () =>
        sort(table, column, head.getAttribute("aria-sort") === first ? other : first));
    });
    if (table.tBodies[0].rows.length > 1) addFilter(box, table);
  });

  // The pictures for print, when there is time; they must be there before anyone prints.
  const show = async (picture) => {
    const svg = await (await unpack(picture.dataset.svg)).blob();
    picture.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  };
  const later = window.requestIdleCallback || setTimeout;
  document.querySelectorAll("img[data-svg]").forEach((picture) => later(() => show(picture)));

  document.querySelectorAll('[data-action="svg"]').forEach((button) => {
    const picture = button.closest(".picture").querySelector("img");
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      Object.assign(link, { href: picture.src, download: button.dataset.file });
      link.click();
    });
  });
})();
