// The script within a saved page: plays a recording. It stands alone, without anything of the studio.
const film = JSON.parse(document.getElementById("film").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const [palette, grounds, weights, scale] = [film.palette, film.grounds, film.weights, film.scale].map(bytes);
const { rows, columns, parameters } = film;
const canvas = document.querySelector("canvas");
const context = canvas.getContext("2d");
const slider = document.querySelector("input");
const button = document.querySelector("button");
const small = document.createElement("canvas");
[small.width, small.height] = [columns, rows];
const memory = small.getContext("2d").createImageData(columns, rows);
const over = new Image();
let timer = 0;

function draw() {
  const at = Number(slider.value);
  context.fillStyle = film.ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < rows * columns; i++) {
    const colour = 3 * grounds[at * rows * columns + i];
    memory.data.set([palette[colour], palette[colour + 1], palette[colour + 2], 255], 4 * i);
  }
  small.getContext("2d").putImageData(memory, 0, 0);
  const side = film.side;
  const [w, h] = [side / Math.max(1, columns - 1), side / Math.max(1, rows - 1)];
  context.save();
  context.beginPath();
  context.rect(0, 0, side, side);
  context.clip();
  context.imageSmoothingQuality = "high";
  if (rows > 1) context.drawImage(small, -w / 2, -h / 2, w * columns, h * rows);
  context.restore();
  if (over.complete && over.naturalWidth > 0) context.drawImage(over, 0, 0, side, side);
  for (const { offset, x, y, cell, across, down } of film.tiles) {
    for (let i = 0; i < across * down; i++) {
      const colour = 3 * weights[at * parameters + offset + i];
      context.fillStyle = `rgb(${scale[colour]} ${scale[colour + 1]} ${scale[colour + 2]})`;
      context.fillRect(x + (i % across) * cell, y + Math.floor(i / across) * cell, cell - 1, cell - 1);
    }
  }
  document.querySelector("output").textContent = film.captions[at];
}

function stop() {
  clearInterval(timer);
  timer = 0;
  button.textContent = film.play;
}

function play() {
  if (timer) return stop();
  if (Number(slider.value) >= Number(slider.max)) slider.value = "0";
  button.textContent = film.pause;
  timer = setInterval(() => {
    slider.value = String(Number(slider.value) + 1);
    if (Number(slider.value) >= Number(slider.max)) stop();
    draw();
  }, film.milliseconds);
  draw();
}

button.addEventListener("click", play);
slider.addEventListener("input", () => {
  if (timer) stop();
  draw();
});
over.addEventListener("load", draw);
over.src = film.over;
draw();
