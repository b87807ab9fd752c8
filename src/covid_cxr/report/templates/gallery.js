// The gallery: filters, and a dialog that shows one case large.
(() => {
  "use strict";
  const { outcomes, cases } = JSON.parse(document.getElementById("gallery-cases").textContent);
  const filters = document.getElementById("gallery-filters");
  const cards = [...document.querySelectorAll(".gallery .case")];
  const dialog = document.getElementById("case");
  const picture = dialog.querySelector(".picture");
  const opacity = document.getElementById("case-opacity");
  let current = 0;

  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const shown = () => cards.map((_, i) => i).filter((i) => !cards[i].parentElement.hidden);

  function filter() {
    const [path, outcome, site] = ["path", "outcome", "site"].map((name) => filters.elements[name].value);
    cards.forEach((card, i) => {
      const said = cases[i].paths[path];
      card.querySelector(".map").src = said.map;
      card.querySelector(".score").textContent = percent(said.score);
      card.querySelector(".outcome").textContent = outcomes[said.outcome];
      card.parentElement.hidden = Boolean(
        (outcome && said.outcome !== outcome) || (site && cases[i].site !== site));
    });
    document.getElementById("gallery-count").textContent = `${shown().length} of ${cards.length} radiographs`;
  }

  function showMap(path) {
    picture.querySelector(".map").src = cases[current].paths[path].map;
    dialog.querySelector(`input[value="${path}"]`).checked = true;
  }

  function show(position) {
    const order = shown();
    current = order[(position + order.length) % order.length];
    const one = cases[current];
    const small = cards[current].querySelector("img");
    document.getElementById("case-title").textContent = `Patient ${one.patient}`;
    dialog.querySelector(".origin").textContent = `${one.site}, ${one.view}`;
    picture.querySelector("img").src = small.src;
    picture.querySelector("img").alt = small.alt;
    for (const row of dialog.querySelectorAll("tbody tr")) {
      const said = one.paths[row.querySelector("input").value];
      row.querySelector(".score").textContent = percent(said.score);
      row.querySelector(".outcome").textContent = outcomes[said.outcome];
    }
    document.getElementById("case-position").textContent = `${order.indexOf(current) + 1} of ${order.length}`;
    showMap(dialog.open ? dialog.querySelector("input:checked").value : filters.elements.path.value);
  }

  const turn = (by) => show(shown().indexOf(current) + by);

  cards.forEach((card, i) => card.addEventListener("click", () => {
    show(shown().indexOf(i));
    dialog.showModal();
  }));
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && !event.target.matches("input")) turn(by);  // in an input, they move its value
  });
  dialog.addEventListener("change", (event) => {
    if (event.target.name === "case-path") showMap(event.target.value);
  });
  dialog.addEventListener("close", () => cards[current].focus());
  opacity.addEventListener("input", () => {
    picture.style.setProperty("--opacity", opacity.value / 100);
  });
  document.getElementById("case-previous").addEventListener("click", () => turn(-1));
  document.getElementById("case-next").addEventListener("click", () => turn(1));
  filters.addEventListener("change", filter);
  filters.hidden = false;
  filter();
})();
