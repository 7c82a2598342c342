import { formatProgress, type TrainProgress } from "../index";

/** Shows progress on a stream: redrawn in place on a terminal, else one line an epoch. */
export function progressPrinter(stream: NodeJS.WriteStream): (progress: TrainProgress) => void {
  return (progress) => {
    if (stream.isTTY) stream.write(`\r\x1b[K${formatProgress(progress)}${progress.epochDone ? "\n" : ""}`);
    else if (progress.epochDone) stream.write(`${formatProgress(progress)}\n`);
  };
}
