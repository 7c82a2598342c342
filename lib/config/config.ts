import { dependentDefaults } from "./defaults";
import { describeParameter, formatValue } from "./describe-parameter";
import { parameterNames, parameterSchema, type ConfigValues } from "./schema";

/** The effective configuration: plain data, every hyperparameter with its value. */
export interface Config extends ConfigValues {
  /**
   * The configuration as text: one line a parameter, in groups. A line that differs from the default begins with `*`
   * and ends with the default in brackets.
   */
  describe(): string;
}

/** Gives a configuration its method, which a copy, a comparison or JSON does not see. */
export function withDescription(values: ConfigValues): Config {
  const config = { ...values };
  Object.defineProperty(config, "describe", { value: () => describe(config) });
  return config as Config;
}

function describe(config: ConfigValues): string {
  const defaults = { ...parameterSchema.parse({}), ...dependentDefaults(config) };
  const rows = parameterNames.map((name) => {
    const [value, byDefault] = [formatValue(config[name]), formatValue(defaults[name])];
    return { name, group: describeParameter(name).group, value, byDefault, differs: value !== byDefault };
  });
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const valueWidth = Math.max(...rows.map(({ differs, value }) => (differs ? value.length : 0)));

  const lines: string[] = [];
  let group: string | undefined;
  for (const row of rows) {
    if (row.group !== group) lines.push(...(group === undefined ? [] : [""]), row.group);
    group = row.group;
    const start = `${row.differs ? "*" : " "} ${row.name.padEnd(nameWidth)}  `;
    lines.push(start + (row.differs ? `${row.value.padEnd(valueWidth)}  (default ${row.byDefault})` : row.value));
  }
  return lines.join("\n");
}
