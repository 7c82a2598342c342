import type { Metrics } from "../evaluation";

/** What one epoch came to. */
export interface EpochReport {
  /** From 1, over all trainings of the model. */
  readonly epoch: number;
  /** Mean loss over the epoch's events, dropout and negative samples included. */
  readonly loss: number;
  /** Mini-batches. */
  readonly steps: number;
  /** Pairs of an event and its next one. */
  readonly events: number;
  /** Training time, without the validation. */
  readonly seconds: number;
  /** Step size of the epoch. */
  readonly learningRate: number;
  /** Accuracy on the validation data after the epoch, where it was measured. */
  readonly validation?: ValidationReport;
}

/** Accuracy on the validation data. */
export interface ValidationReport extends Metrics {
  /** Events predicted. */
  readonly targets: number;
  readonly seconds: number;
}
