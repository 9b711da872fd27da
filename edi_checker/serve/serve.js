// Takes a file that is dropped on the page, and shows that one is sent and checked. The page works without it.
for (const form of document.querySelectorAll("form[data-busy]")) {
  const drop = form.querySelector(".drop");
  const field = drop.querySelector("input[type=file]");
  const name = drop.querySelector("output");
  const busy = form.querySelector(".busy");
  const say = busy.querySelector("[role=status]");
  const show = () => {
    name.textContent = [...field.files].map((file) => file.name).join(", ");
  };
  const stop = (event) => event.preventDefault();
  let timer = 0;
  const rest = () => {
    clearInterval(timer);
    busy.hidden = true;
    say.textContent = "";
  };
  addEventListener("dragover", (event) => {
    stop(event);
    drop.classList.add("over");
  });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    stop(event);
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) {
      field.files = event.dataTransfer.files;
      show();
      field.focus();
    }
  });
  field.addEventListener("change", show);
  form.addEventListener("submit", (event) => {
    const saves = event.submitter?.hasAttribute("data-saves");
    const begun = Date.now();
    rest();
    busy.hidden = false;
    say.textContent = saves ? "The file is checked; then your browser saves the answer." : "The file is sent and checked.";
    const seconds = busy.querySelector("[data-seconds]");
    timer = setInterval(() => {
      const passed = Math.round((Date.now() - begun) / 1000);
      seconds.textContent = `${passed} s`;
      if (saves && passed >= 10) rest();
    }, 1000);
    seconds.textContent = "";
  });
  // Who comes back to the page is not waiting any more.
  addEventListener("pageshow", rest);
  show();
}
