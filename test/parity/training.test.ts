import { combinations } from "./fixtures";
import { CPU } from "./native";
import { expectTrainingAsReference } from "./train-as-reference";

jest.setTimeout(120_000);

test.each(combinations)("training: $title", (combination) => expectTrainingAsReference(CPU, combination));
