// Pictures that can be taken away: components that draw one say here how it is made, for as long as they are shown.

export type PictureName = "diagram.svg" | "diagram.png" | "boundary.png";

export const pictures = new Map<PictureName, () => Promise<Blob | null>>();

/** The content of a canvas as a PNG. */
export function png(canvas: HTMLCanvasElement): Promise<Blob | null> {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
