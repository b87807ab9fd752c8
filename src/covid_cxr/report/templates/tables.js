// Marks the tables that are wider than their place, which then say that they scroll.
(() => {
  "use strict";
  const observer = new ResizeObserver((places) => {
    for (const { target } of places) {
      target.classList.toggle("cut", target.scrollWidth > target.clientWidth);
    }
  });
  for (const place of document.querySelectorAll(".scroll")) observer.observe(place);
})();
