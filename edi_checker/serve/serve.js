// Takes a file that is dropped on the page, and shows that one is sent and checked. The page works without it.
for (const form of document.querySelectorAll("form[data-most]")) {
  const drop = form.querySelector(".drop");
  const field = drop.querySelector("input[type=file]");
  const name = drop.querySelector("output");
  const busy = form.querySelector(".busy");
  const say = busy.querySelector("[role=status]");
  const seconds = busy.querySelector("[data-seconds]");
  const bar = busy.querySelector("progress");
  const most = Number(form.dataset.most);
  const show = () => {
    name.textContent = [...field.files].map((file) => file.name).join(", ");
  };
  const stop = (event) => event.preventDefault();
  let timer = 0;
  const rest = () => {
    clearInterval(timer);
    busy.hidden = true;
    seconds.textContent = say.textContent = "";
  };
  const tell = (words, waits) => {
    rest();
    busy.hidden = false;
    bar.hidden = !waits;
    say.textContent = words;
  };
  // What the server would refuse need not be sent: of a large file it would hear nothing but a broken connection.
  const refusal = () => {
    const files = [...form.querySelectorAll("input[type=file]")].flatMap((each) => [...each.files]);
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (size > most) {
      const shown = (most / 1048576).toLocaleString("en", { maximumFractionDigits: 1 });
      return `The file has more than ${shown} MB, which this server does not take.`;
    }
    const text = form.querySelector("textarea").value;
    return field.files.length || text.trim() ? "" : "Choose a file first, or paste the text of one.";
  };
  addEventListener("dragover", (event) => {
    stop(event);
    drop.classList.add("over");
  });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    stop(event);
    drop.classList.remove("over");
    if (event.dataTransfer.files.length > 1 && !field.multiple) {
      tell("One file at a time, or a zip archive of them.", false);
    } else if (event.dataTransfer.files.length) {
      field.files = event.dataTransfer.files;
      rest();
      show();
      field.focus();
    }
  });
  field.addEventListener("change", () => {
    rest();
    show();
  });
  form.addEventListener("submit", (event) => {
    const saves = event.submitter?.hasAttribute("data-saves");
    const begun = Date.now();
    const refused = refusal();
    if (refused) {
      event.preventDefault();
      tell(refused, false);
      return;
    }
    tell(saves ? "The file is checked; then your browser saves the answer." : "The file is sent and checked.", true);
    timer = setInterval(() => {
      const passed = Math.round((Date.now() - begun) / 1000);
      seconds.textContent = `${passed} s`;
      if (saves && passed >= 10) rest();
    }, 1000);
  });
  // Who comes back to the page is not waiting any more.
  addEventListener("pageshow", rest);
  show();
}
