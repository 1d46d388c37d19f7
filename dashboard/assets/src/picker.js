// Narrows a long list of channels by what is typed. What is ticked stays in sight, so that nothing is chosen unseen.
export function channelPickers(root) {
  for (const picker of root.querySelectorAll("[data-picker]:not([data-ready])")) {
    picker.dataset.ready = "";
    const filter = picker.querySelector("[data-picker-filter]");
    filter?.addEventListener("input", () => {
      const wanted = filter.value.trim().toLocaleLowerCase();
      for (const item of [...picker.querySelectorAll("li[data-name]")].reverse()) {
        const fits = item.dataset.name.toLocaleLowerCase().includes(wanted);
        const ticked = item.querySelector("input").checked;
        const holds = item.querySelector("li:not([hidden])") !== null;
        item.hidden = !(fits || ticked || holds);
      }
    });
    // Enter in the filter would send the form.
    filter?.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }
}
