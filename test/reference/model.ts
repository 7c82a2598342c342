import type {
  NativeModelSpec,
  NativeRecommendRequest,
  NativeSessions,
  NativeTies,
  NativeTrainingSpec,
} from "../../lib/native/addon";
import { activate } from "./activation";
import { softmax } from "./loss";
import { Matrix } from "./matrix";
import { Optimiser } from "./optimiser";
import { type Parameters, initialParameters, inputWidth } from "./parameters";
import { purposes } from "./philox";
import { type InitialWeights, dropoutMask, negativeSamples, samplingTable, shuffledSessions } from "./random";
import { rankOf, topItems } from "./ranking";
import { type ScheduledRow, schedule } from "./schedule";
import { type StepInput, type StepResult, type StepRow, computeStep, forwardStack, score } from "./step";

/** One training step as it happened. */
export interface TrainedStep {
  readonly rows: readonly ScheduledRow[];
  readonly input: StepInput;
  readonly result: StepResult;
}

/** One epoch: the figures of NativeProgress and, on top, every step. */
export interface TrainedEpoch {
  readonly loss: number;
  readonly steps: number;
  readonly events: number;
  readonly trace: TrainedStep[];
}

/** What prepareTraining set up. */
interface Training {
  readonly spec: NativeTrainingSpec;
  readonly support: ArrayLike<number>;
  readonly table: bigint[];
  readonly optimiser: Optimiser;
}

/** Hidden states of all slots: [layers] of [slots, H]. */
type States = Matrix[];

/**
 * GRU4Rec in float64 and plain loops, written from docs/model.md and docs/random.md alone. It offers what NativeModel
 * offers, so that one description of a run drives both.
 */
export class ReferenceModel {
  parameters: Parameters;
  private training: Training | undefined;
  private steps = 0;
  private epochs = 0;

  constructor(
    readonly spec: NativeModelSpec,
    initial: InitialWeights,
  ) {
    this.parameters = initialParameters(spec, initial);
  }

  prepareTraining(spec: NativeTrainingSpec, support: ArrayLike<number>): void {
    this.training = {
      spec,
      support,
      table: samplingTable(support, spec.sampleAlpha),
      optimiser: new Optimiser(spec),
    };
    this.steps = 0;
    this.epochs = 0;
  }

  trainEpoch(sessions: NativeSessions, order: ArrayLike<number>): TrainedEpoch {
    const { spec, optimiser } = this.training!;
    const epochOrder = spec.randomOrder ? shuffledSessions(spec.seed, this.epochs, sessions.offsets.length - 1) : order;
    this.epochs += 1;

    const states = this.zeroStates(spec.batchSize);
    const before = new Array<StepRow | undefined>(spec.batchSize);
    const trace: TrainedStep[] = [];
    let weightedLoss = 0;
    let events = 0;
    for (const rows of schedule(sessions, epochOrder, spec.batchSize)) {
      if (rows.length < 2 && spec.nSample === 0) break;
      const input = this.stepInput(rows, states, before);
      const result = computeStep(this.spec, spec, this.parameters, input);
      optimiser.update(this.parameters, result.gradients);
      rows.forEach(({ slot }, i) => {
        states.forEach((state, l) => state.row(slot).set(result.states[l]!.row(i)));
        before[slot] = result.rows[i];
      });
      trace.push({ rows, input, result });
      weightedLoss += rows.length * result.loss;
      events += rows.length;
      this.steps += 1;
    }
    return { loss: weightedLoss / events, steps: trace.length, events, trace };
  }

  /** Rank of the target of every pair, in the order of the walk. */
  evaluate(
    sessions: NativeSessions,
    options: { readonly ties: NativeTies; readonly batchSize: number; readonly candidates?: Int32Array },
  ): number[] {
    const states = this.zeroStates(options.batchSize);
    const sessionOrder = Array.from({ length: sessions.offsets.length - 1 }, (_, session) => session);
    const ranks: number[] = [];
    for (const rows of schedule(sessions, sessionOrder, options.batchSize)) {
      for (const { slot, first, input, target } of rows) {
        if (first) for (const state of states) state.row(slot).fill(0);
        const output = this.advance(states, slot, input);
        const candidates = options.candidates ? new Set([...options.candidates, target]) : this.allItems();
        const scores = [...candidates].map((item) => score(this.parameters, output, item));
        ranks.push(rankOf(score(this.parameters, output, target), scores, options.ties));
      }
    }
    return ranks;
  }

  /** Raw scores of all items after the last event of every session, [sessions] of [items]. */
  rawScores(sessions: NativeSessions): Float64Array[] {
    return Array.from({ length: sessions.offsets.length - 1 }, (_, session) => {
      const states = this.zeroStates(1);
      let output = states.at(-1)!.row(0);
      for (let event = sessions.offsets[session]!; event < sessions.offsets[session + 1]!; ++event) {
        output = this.advance(states, 0, sessions.items[event]!);
      }
      return Float64Array.from(this.allItems(), (item) => score(this.parameters, output, item));
    });
  }

  /** Scores after the final activation, [sessions] of [columns]; `items` = the columns, absent = all. */
  predict(sessions: NativeSessions, items?: ArrayLike<number>): Float64Array[] {
    const columns = items ? Array.from(items) : this.allItems();
    return this.rawScores(sessions).map((scores) =>
      this.finalScores(Float64Array.from(columns, (item) => scores[item]!)),
    );
  }

  /** Best items and their scores after the final activation, [sessions], at most k each. */
  recommend(request: NativeRecommendRequest): { items: number[]; scores: number[] }[] {
    return this.rawScores(request.sessions).map((scores, row) => {
      const excluded = request.exclusions
        ? request.exclusions.items.slice(request.exclusions.starts[row], request.exclusions.starts[row + 1])
        : new Int32Array(0);
      const candidates = request.candidates ? Array.from(request.candidates) : this.allItems();
      const items = topItems(
        candidates.filter((item) => !excluded.includes(item)),
        scores,
        request.k,
      );
      const final = this.finalScores(scores);
      return { items, scores: items.map((item) => final[item]!) };
    });
  }

  /**
   * Draws masks and samples of the next step and collects the states of its rows.
   * @param before - [slots] what the step before computed.
   */
  private stepInput(
    rows: readonly ScheduledRow[],
    states: States,
    before: readonly (StepRow | undefined)[],
  ): StepInput {
    const { spec, support, table } = this.training!;
    const M = rows.length;
    const mask = (purpose: number, probability: number, width: number): Matrix | undefined =>
      probability > 0 ? dropoutMask(spec.seed, purpose, this.steps, probability, M, width) : undefined;
    for (const { slot, first } of rows) {
      if (first) for (const state of states) state.row(slot).fill(0);
    }
    return {
      inputs: rows.map(({ input }) => input),
      targets: rows.map(({ target }) => target),
      samples: negativeSamples(spec.seed, this.steps, table, spec.nSample),
      states: states.map((state) => {
        const active = new Matrix(M, state.cols);
        rows.forEach(({ slot }, i) => active.row(i).set(state.row(slot)));
        return active;
      }),
      inputMask:
        this.spec.embedding === "none"
          ? undefined
          : mask(purposes.inputDropout, spec.dropoutEmbed, inputWidth(this.spec, 0)),
      hiddenMasks: this.spec.layers.map((hidden, l) => mask(purposes.hiddenDropout(l), spec.dropoutHidden, hidden)),
      support,
      before: rows.map(({ slot, first }) => (first ? undefined : before[slot])),
    };
  }

  /** Feeds one item to a slot without dropout; the network's output [H]. */
  private advance(states: States, slot: number, input: number): Float64Array {
    const stack = forwardStack(this.spec, this.parameters, input, slot, states, undefined, []);
    stack.states.forEach((state, l) => states[l]!.row(slot).set(state));
    return stack.output;
  }

  private finalScores(scores: Float64Array): Float64Array {
    const { finalAct } = this.spec;
    if (finalAct.kind === "softmax") return softmax(scores);
    if (finalAct.kind === "softmax_logit") return scores;
    return scores.map((value) => activate(finalAct, value));
  }

  private zeroStates(slots: number): States {
    return this.spec.layers.map((hidden) => new Matrix(slots, hidden));
  }

  private allItems(): number[] {
    return Array.from({ length: this.spec.items }, (_, item) => item);
  }
}
