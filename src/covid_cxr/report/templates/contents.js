// Marks in the contents which section is being read.
(() => {
  "use strict";
  const entries = new Map();
  for (const link of document.querySelectorAll("nav.contents a")) {
    entries.set(document.querySelector(link.hash).closest("section"), link);
  }
  const observer = new IntersectionObserver((sections) => {
    for (const section of sections.filter((one) => one.isIntersecting)) {
      for (const link of entries.values()) link.removeAttribute("aria-current");
      const link = entries.get(section.target);
      const strip = link.closest("ul");
      link.setAttribute("aria-current", "true");
      strip.scrollLeft = link.offsetLeft - strip.clientWidth / 2;
    }
  }, { rootMargin: "-20% 0px -75% 0px" });  // what a fifth down the window shows
  for (const section of entries.keys()) observer.observe(section);
})();
