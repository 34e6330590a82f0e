// A click on a column's heading sorts by it, a second one the other way. Without scripts the tables are as they are.
const value = (cell) => {
  const text = cell.textContent.trim().replaceAll(",", "").replace("−", "-").replace(/^[<>]/, "");
  return text === "" ? null : isNaN(text) ? cell.textContent.trim() : Number(text);
};
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

for (const heading of document.querySelectorAll("thead th")) {
  const button = document.createElement("button");
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const way = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", way);
    const body = heading.closest("table").tBodies[0];
    const rows = [...body.rows].map((row) => [value(row.cells[heading.cellIndex]), row]);
    const [known, missing] = [rows.filter(([v]) => v !== null), rows.filter(([v]) => v === null)];
    known.sort(([a], [b]) => (way === "ascending" ? compare(a, b) : compare(b, a)));
    body.append(...[...known, ...missing].map(([, row]) => row));
  });
}
