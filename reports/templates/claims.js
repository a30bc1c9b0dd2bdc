// The filter of the index of claims. What is chosen stands in the address, so that it can be forwarded.
"use strict";
const choices = ["verdict", "study"].map((name) => document.getElementById(name));
const rows = [...document.querySelectorAll("#all tbody tr")];
const asked = new URLSearchParams(location.hash.slice(1));

function filter() {
  let shown = 0;
  for (const row of rows) {
    row.hidden = choices.some((choice) => choice.value && row.dataset[choice.id] !== choice.value);
    shown += !row.hidden;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} claims`;
}

for (const choice of choices) {
  const value = asked.get(choice.id);
  if ([...choice.options].some((option) => option.value === value)) choice.value = value;
  choice.addEventListener("change", () => {
    const chosen = choices.filter((each) => each.value).map((each) => [each.id, each.value]);
    history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
    filter();
  });
}
document.querySelector(".tools").hidden = false;
filter();
