// Written by `npm run types` from src/reseau/studio/protocol.schema.json: change that, not this.

/**
 * What the page of the studio and its engine say to one another. Commands go from the page to the engine, one JSON text each; the engine answers each with `Done`, `Refused` or another event that has its id, and sends events of its own: JSON texts, or the binary `Frame`. Nothing here is about sockets, so that an engine in the page itself could stand in the server's place.
 */
export type Protocol = Command | Event | SessionFile;
/**
 * From the page to the engine.
 */
export type Command = Open | Change | Run | SetNumber | Look | AskBoard | Keep | Forget;
/**
 * The page's number of a command, which its answer repeats.
 */
export type Id = number;
export type Data = Toy | Table;
export type Lang = "en" | "fr";
/**
 * From the engine to the page.
 */
export type Event = Welcome | State | FrameHeader | Board | Done | Refused;
/**
 * The id of the command that this answers; null of what the engine says by itself.
 */
export type Answer = number | null;
export type Task = "classification" | "regression";

/**
 * The first command: begins a session, or takes one up that was left less than some minutes ago. Answered by `Welcome`, then `State`.
 */
export interface Open {
  id: Id;
  type: "open";
  /**
   * The key of the one to take up; a new one begins where it is no longer there.
   */
  session?: string;
  document?: Document;
}
/**
 * All that makes a session: whoever has it (and the table, if it is one) gets the same weights. Session files and links hold it.
 */
export interface Document {
  /**
   * Of this form; a newer one is refused.
   */
  version: number;
  data: Data;
  network: Network;
  training: Training;
  /**
   * The training so far: one after the other, from the first weights.
   *
   * @maxItems 1000
   */
  fits: Fit[];
}
/**
 * Samples made up: which, see `Welcome.toys`.
 */
export interface Toy {
  kind: "toy";
  name: string;
  samples: number;
  noise: number;
  /**
   * Of those sets that have a number of classes to choose; others leave it alone.
   */
  classes: number;
  seed: number;
  /**
   * The share of samples that is validated on.
   */
  held_out: number;
}
/**
 * A table that the engine has: one given at the command line, the penguins, or one that was uploaded.
 */
export interface Table {
  kind: "table";
  /**
   * Its key, as in `TableInfo`.
   */
  table: string;
  /**
   * The column to predict.
   */
  target: string;
  /**
   * Columns that are to be read otherwise than recognised, or left out.
   */
  columns: {
    [k: string]: "number" | "category" | "date" | "text" | "ignore";
  };
  /**
   * By which rows are held out.
   */
  seed: number;
  held_out: number;
  /**
   * A model that the engine was begun with: its columns are encoded and its target is scaled as there. It is left out with another target, or other columns.
   */
  like?: string;
}
export interface Network {
  /**
   * As the library describes them (`Layer.describe`). The last is the output; its neurons are as many as the data wants, whatever is said here.
   *
   * @minItems 1
   * @maxItems 20
   */
  layers: Layer[];
  loss: string;
  /**
   * Of the first weights and the order of samples.
   */
  seed: number;
  /**
   * A model that the engine was begun with, whose weights are the first. It is left out with other layers or another loss.
   */
  start?: string;
}
export interface Layer {
  /**
   * A name of `Welcome.kinds`.
   */
  kind: string;
  neurons?: number;
  activation?: string;
  bias?: boolean;
  dropout?: number;
  /**
   * Whether what comes in is added to what goes out; the widths must be the same.
   */
  residual?: boolean;
}
export interface Training {
  /**
   * A name of `Welcome.optimizers`.
   */
  optimizer: string;
  learning_rate: number;
  /**
   * A name of `Welcome.schedules`; all but the constant one need `epochs`.
   */
  schedule: string;
  batch_size: number;
  l2: number;
  /**
   * After how many it stops; null goes on until it is paused.
   */
  epochs: number | null;
  /**
   * It stops when the validation loss has not fallen for so many epochs; null never.
   */
  patience: number | null;
  /**
   * It stops when the training loss is below; null never.
   */
  stop_loss: number | null;
}
/**
 * One call of `Network.fit`: a change of the training between epochs begins another.
 */
export interface Fit {
  training: Training;
  /**
   * Made.
   */
  epochs: number;
  /**
   * @maxItems 100000
   */
  edits: Edit[];
}
/**
 * A number that was set by hand.
 */
export interface Edit {
  /**
   * After how many epochs of its fit.
   */
  epoch: number;
  /**
   * As in model files: layers.0.W, layers.0.b
   */
  tensor: string;
  /**
   * @minItems 1
   * @maxItems 2
   */
  index: number[];
  value: number;
}
/**
 * Other data or another network begin anew, from the first weights; another training goes on from the weights as they are. Answered by `State`.
 */
export interface Change {
  id: Id;
  type: "change";
  data?: Data;
  network?: Network;
  training?: Training;
}
/**
 * play until paused or stopped; epoch and step make one; rewind goes back to the first weights. A step looks into the coming epoch: it is shown, and what is kept, exported or written down stays that of whole epochs until the epoch is complete. Answered by `State`.
 */
export interface Run {
  id: Id;
  type: "run";
  what: "play" | "pause" | "epoch" | "step" | "rewind";
}
/**
 * Sets a weight or a bias, after the epoch that is running. Answered by `Done`; a `Frame` shows it.
 */
export interface SetNumber {
  id: Id;
  type: "set";
  tensor: string;
  /**
   * @minItems 1
   * @maxItems 2
   */
  index: number[];
  value: number;
}
/**
 * What frames show from now on. Answered by a `Frame`, which has `points` too.
 */
export interface Look {
  id: Id;
  type: "look";
  /**
   * Places in `DataInfo.axes` of what is drawn across and upwards; null takes the first two. The same twice: a curve.
   *
   * @minItems 2
   * @maxItems 2
   */
  axes: number[] | null;
  /**
   * Whose numbers, forward and backward, frames have.
   */
  sample: Sample | null;
  lang: Lang;
}
export interface Sample {
  part: "training" | "validation";
  /**
   * Among the samples of its part, from 0.
   */
  row: number;
}
/**
 * A learning step on this sample, worked out. Answered by `Board`.
 */
export interface AskBoard {
  id: Id;
  type: "board";
  sample: Sample;
  lang: Lang;
  digits: number;
}
/**
 * Keeps the run as it stands, for comparison. Answered by `State`.
 */
export interface Keep {
  id: Id;
  type: "keep";
}
/**
 * Forgets a kept run. Answered by `State`.
 */
export interface Forget {
  id: Id;
  type: "forget";
  run: number;
}
/**
 * What there is to choose from: made of the library's tables.
 */
export interface Welcome {
  type: "welcome";
  answer: Answer;
  /**
   * The key by which it is taken up, and of the addresses of what is taken away.
   */
  session: string;
  /**
   * Of the library.
   */
  version: string;
  /**
   * Whether the session asked for was there.
   */
  restored: boolean;
  toys: ToyInfo[];
  tables: TableInfo[];
  /**
   * Of layers.
   */
  kinds: KindInfo[];
  activations: ActivationInfo[];
  losses: LossInfo[];
  optimizers: OptimizerInfo[];
  schedules: string[];
  limits: Limits;
}
export interface ToyInfo {
  name: string;
  task: Task;
  /**
   * Whether the number of classes is to choose.
   */
  many_classes: boolean;
}
/**
 * A table that the engine has. An upload is answered by one.
 */
export interface TableInfo {
  table: string;
  name: string;
  rows: number;
  /**
   * The column that is likely to be predicted.
   */
  target: string;
  columns: ColumnInfo[];
}
export interface ColumnInfo {
  name: string;
  /**
   * As it was recognised.
   */
  kind: "number" | "category" | "date" | "text" | "ignore";
  missing: number;
  distinct: number;
  examples: string[];
}
export interface KindInfo {
  name: string;
  /**
   * Whether it has these to choose; likewise the others.
   */
  neurons: boolean;
  activation: boolean;
  bias: boolean;
  dropout: boolean;
  residual: boolean;
}
export interface ActivationInfo {
  name: string;
  /**
   * As MathML.
   */
  formula: string;
  derivative: string;
  /**
   * Whether each neuron has a curve of its own; else a Jacobian.
   */
  elementwise: boolean;
  curve?: ActivationCurve;
}
/**
 * To draw it and its derivative, where it is elementwise: numbers at places that are evenly spaced from low to high, ends included. A place where there is none has null.
 */
export interface ActivationCurve {
  low: number;
  high: number;
  values: (number | null)[];
  derivatives: (number | null)[];
}
export interface LossInfo {
  name: string;
  task: Task;
  /**
   * The activation that it goes with.
   */
  output: string;
}
export interface OptimizerInfo {
  name: string;
  /**
   * Its default.
   */
  learning_rate: number;
}
/**
 * Of what may be uploaded.
 */
export interface Limits {
  bytes: number;
  rows: number;
  columns: number;
  cells: number;
}
/**
 * The session as it stands; sent whenever something of it has changed but the numbers.
 */
export interface State {
  type: "state";
  answer: Answer;
  document: Document;
  /**
   * restoring: it is being trained as far as its document says.
   */
  phase: "paused" | "running" | "restoring";
  /**
   * Why the run has come to its end, if it has.
   */
  stopped: "epochs" | "patience" | "stop_loss" | "diverged" | null;
  data: DataInfo;
  network: NetworkInfo;
  kept: Kept[];
}
export interface DataInfo {
  task: Task;
  target: string;
  /**
   * Their names; none of a regression.
   */
  classes: string[];
  /**
   * The names of the network's inputs.
   */
  inputs: string[];
  /**
   * What the boundary or the curve may be drawn over.
   */
  axes: Axis[];
  /**
   * Samples learnt from.
   */
  training: number;
  validation: number;
  /**
   * What was noticed in reading, in English.
   */
  notes: string[];
}
export interface Axis {
  name: string;
  low: number;
  high: number;
}
export interface NetworkInfo {
  /**
   * Inputs, then the neurons of each layer.
   */
  widths: number[];
  parameters: number;
  /**
   * Where each lies in the flat vector of frames, in C order.
   */
  tensors: TensorInfo[];
}
export interface TensorInfo {
  /**
   * layers.0.W
   */
  name: string;
  layer: number;
  shape: number[];
  offset: number;
}
/**
 * A run kept for comparison.
 */
export interface Kept {
  run: number;
  document: Document;
  epochs: number;
  /**
   * At most 200 points of the curve, evenly spaced.
   */
  loss: (number | null)[];
  validation_loss: (number | null)[];
  /**
   * Accuracy or R² of the samples held out (of those learnt from, where none are).
   */
  score: number | null;
  /**
   * A small picture of it, as a data address of a PNG; empty where there is none.
   */
  boundary: string;
}
/**
 * Numbers, as a binary message: 4 bytes, the length n of the header, little-endian; n bytes of JSON (this); zeros up to a multiple of 8; the arrays, each at its offset from there. Only what has changed is in a frame.
 */
export interface FrameHeader {
  type: "frame";
  answer: Answer;
  /**
   * Complete epochs since the first weights.
   */
  epoch: number;
  /**
   * Steps of the epoch that is looked into; 0 where none is.
   */
  step: number;
  /**
   * Steps of an epoch.
   */
  steps: number;
  /**
   * Spent training.
   */
  seconds: number;
  /**
   * Lately; 0 while it is paused.
   */
  steps_per_second: number;
  scores: Scores;
  /**
   * parameters (n_parameters,) float32. first_epoch, loss, validation_loss: see `curve`. curve (2, k) float32: loss and validation loss (NaN where there is none) of the epochs curve_from+1, ..., of which those from there on replace what the page has. boundary (rows, columns, k) float32: what the network says on the grid of the axes, from the lower left: of classes the probability of each, whatever its outputs are; else k is 1, a number in the target's own unit. curve_of_inputs (places, k) in its stead where the axes are the same; neither where the data have no axis. maps (neurons of all hidden layers, rows, columns) uint8: activations, 0 the lowest and 255 the highest of each; ranges (neurons, 2) float32: what these are; none where there are more than 256 neurons. A map of axes that are the same has equal rows. confusion (2, classes, classes) int32: rows of a class predicted as another, training and validation. predicted (samples, 2) float32, at most 2000: target and prediction of a regression. points (samples, 4) float32, at most 5000: across, upwards, target (number, or place of the class), 1 where it is held out; places (samples,) int32: their rows in their part. Of the sample looked at: forward.Z.1, forward.A.1, ..., forward.A.0; backward.delta.1, ...; gradient (n_parameters,); target (outputs,).
   */
  arrays: ArrayInfo[];
  /**
   * How many epochs there are before the array `curve`. Frames repeat about a second of it; a page that lacks more, because frames were left out, asks for all of it by `Look`.
   */
  curve_from?: number;
}
export interface Scores {
  loss: number | null;
  validation_loss: number | null;
  /**
   * Accuracy, or R².
   */
  score: number | null;
  validation_score: number | null;
}
export interface ArrayInfo {
  name: string;
  dtype: "float32" | "int32" | "uint8";
  shape: number[];
  offset: number;
}
export interface Board {
  type: "board";
  answer: Answer;
  /**
   * A part of a page: formulas in MathML, no script, no style of its own. Each stage is a section with the class `stage`.
   */
  html: string;
  /**
   * The titles of the stages, in their order.
   */
  stages: string[];
}
export interface Done {
  type: "done";
  answer: Answer;
}
/**
 * A command that was not done, and has changed nothing; or something that happened, such as a run that diverged.
 */
export interface Refused {
  type: "refused";
  answer: Answer;
  /**
   * What the page has a sentence for, in its language: malformed, forbidden, no_session, too_many_sessions, newer_version, unknown_table, unknown_model, unknown_toy, table_unreadable, too_large, too_slow, layer_empty, network_refused, training_refused, diverged, too_large_to_look, too_many, busy, failed, note (what the library has noticed, such as inputs out of scale). Of one that it does not know it shows the message.
   */
  code: string;
  /**
   * In English, with the place and the way out.
   */
  message: string;
  /**
   * What the sentence names.
   */
  values: {
    [k: string]: string | number;
  };
}
/**
 * A session taken away. To restore it, its table is uploaded, where there is one, and a session opened with its document: a table has the same key wherever it is uploaded.
 */
export interface SessionFile {
  reseau: "studio";
  document: Document;
  table: null | TableFile;
}
export interface TableFile {
  name: string;
  /**
   * In base64.
   */
  content: string;
}
