import { shorten } from "../errors";
import { tokenise, type Token } from "./python-tokens";
import { placesOf, syntaxError, type Given } from "./source";

// The author's parameter files are Python programs that assign one dict of literals. They are read, never run:
//
//   file       = { import | assignment }
//   import     = "import" "collections" | "from" "collections" "import" name { "," name }
//   assignment = name "=" dict
//   dict       = braces | [ "collections" "." ] ( "OrderedDict" | "dict" ) "(" [ braces | pairs | keywords ] ")"
//   braces     = "{" [ string ":" literal { "," string ":" literal } ] "}"
//   pairs      = a list or tuple of lists or tuples of a string and a literal
//   keywords   = name "=" literal { "," name "=" literal }
//   literal    = string | [ "+" | "-" ] number | "True" | "False" | "None" | list | tuple | "(" literal ")"

/** The dict that counts where a file assigns several. */
const PARAMETERS = "gru4rec_params";
const DICT = "OrderedDict([…]), dict(…) or {…}";
/** A list in a tuple in a list is what the deepest file needs. */
const DEEPEST = 16;

interface Literal {
  readonly value: unknown;
  /** Of a list or tuple. */
  readonly elements?: readonly Literal[];
  readonly token: Token;
}

/**
 * Reads the author's parameter file.
 * @param path - For messages.
 * @throws {@link ConfigError} that says where the file has something else than literals, what was expected and what came.
 */
export function readPythonFile(path: string, text: string): Given[] {
  return new PythonParser(text, placesOf(path, text)).parseFile();
}

class PythonParser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(
    text: string,
    private readonly placeOf: (offset: number) => string,
  ) {
    this.#tokens = tokenise(text, placeOf);
  }

  parseFile(): Given[] {
    const dicts = new Map<string, Given[]>();
    while (!this.#isAt("end")) {
      if (this.#isName("import", "from")) this.#parseImport();
      else {
        const name = this.#takeKind("name", `an assignment such as ${PARAMETERS} = OrderedDict([…])`);
        this.#take("=");
        if (dicts.has(name.text)) throw this.#refuse(`one assignment of ${name.text}`, name);
        dicts.set(name.text, this.#parseDict());
      }
      if (!this.#isAt("end")) this.#takeKind("newline", "the end of the line");
    }
    const only = dicts.size === 1 ? [...dicts.values()][0] : undefined;
    const dict = dicts.get(PARAMETERS) ?? only;
    if (dict === undefined) throw this.#refuse(`an assignment of ${PARAMETERS}`);
    return dict;
  }

  #parseImport(): void {
    const from = this.#isName("from");
    this.#take(from ? "from" : "import");
    this.#take("collections");
    if (!from) return;
    this.#take("import");
    do this.#takeKind("name", "a name");
    while (this.#skip(","));
  }

  #parseDict(): Given[] {
    if (this.#token.text === "{") return this.#parseBraces();
    if (this.#skip("collections")) this.#take(".");
    if (!this.#isName("OrderedDict", "dict")) throw this.#refuse(DICT);
    ++this.#next;
    this.#take("(");
    const following = this.#tokens[this.#next + 1];
    if (this.#isAt("name") && following?.text === "=") return this.#parseKeywords();
    let entries: Given[] = [];
    if (this.#token.text === "{") entries = this.#parseBraces();
    else if (this.#token.text !== ")") entries = this.#entriesOf(this.#parseLiteral());
    this.#skip(",");
    this.#take(")");
    return entries;
  }

  #parseBraces(): Given[] {
    this.#take("{");
    return this.#parseUntil("}", () => {
      const name = this.#takeKind("string", "a parameter's name in quotes");
      this.#take(":");
      return this.#entry(name, this.#parseLiteral());
    });
  }

  #parseKeywords(): Given[] {
    return this.#parseUntil(")", () => {
      const name = this.#takeKind("name", "a parameter's name");
      this.#take("=");
      return this.#entry(name, this.#parseLiteral());
    });
  }

  #entriesOf(list: Literal): Given[] {
    if (list.elements === undefined) throw this.#refuse("a list of pairs ('name', value)", list.token);
    return list.elements.map(({ elements, token }) => {
      const [name, value] = elements ?? [];
      if (elements?.length !== 2 || name?.token.kind !== "string" || value === undefined)
        throw this.#refuse("a pair ('name', value)", token);
      return this.#entry(name.token, value);
    });
  }

  #entry(name: Token, { value }: Literal): Given {
    return { name: name.value, value, place: this.placeOf(name.offset) };
  }

  #parseLiteral(depth = 0): Literal {
    const token = this.#token;
    if (depth > DEEPEST) throw this.#refuse(`brackets in at most ${DEEPEST} brackets`);
    if (token.text === "[" || token.text === "(") return this.#parseSequence(token, depth);
    ++this.#next;
    if (token.kind === "string") return { value: token.value, token };
    if (token.kind === "number") return { value: numberOf(token), token };
    if ((token.text === "-" || token.text === "+") && this.#token.kind === "number") {
      const number = numberOf(this.#token);
      ++this.#next;
      return { value: token.text === "-" ? -number : number, token };
    }
    if (token.text === "True" || token.text === "False") return { value: token.text === "True", token };
    if (token.text === "None") return { value: null, token };
    throw this.#refuse("a literal: text, number, True, False, None, list or tuple", token);
  }

  #parseSequence(token: Token, depth: number): Literal {
    ++this.#next;
    const close = token.text === "[" ? "]" : ")";
    const elements = this.#parseUntil(close, () => this.#parseLiteral(depth + 1));
    // Brackets round one literal make a tuple of it only with a comma.
    if (close === ")" && elements.length === 1 && this.#tokens[this.#next - 2]!.text !== ",") return elements[0]!;
    return { value: elements.map(({ value }) => value), elements, token };
  }

  /** Members with commas between, and maybe one behind the last, up to the closing bracket. */
  #parseUntil<T>(close: string, parseMember: () => T): T[] {
    const members: T[] = [];
    while (this.#token.text !== close) {
      members.push(parseMember());
      if (!this.#skip(",") && this.#token.text !== close) throw this.#refuse(`, or ${close}`);
    }
    this.#take(close);
    return members;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #isAt(kind: Token["kind"]): boolean {
    return this.#token.kind === kind;
  }

  #isName(...names: string[]): boolean {
    return this.#isAt("name") && names.includes(this.#token.text);
  }

  /** Whether `text` came next, which is then taken. */
  #skip(text: string): boolean {
    const found = this.#token.text === text;
    if (found) ++this.#next;
    return found;
  }

  #take(text: string): void {
    if (!this.#skip(text)) throw this.#refuse(text);
  }

  #takeKind(kind: Token["kind"], what: string): Token {
    const token = this.#token;
    if (!this.#isAt(kind)) throw this.#refuse(what);
    ++this.#next;
    return token;
  }

  #refuse(what: string, token = this.#token): Error {
    const received = { newline: "the end of the line", end: "the end of the file" };
    const text = token.kind === "newline" || token.kind === "end" ? received[token.kind] : shorten(token.text);
    return syntaxError(this.placeOf(token.offset), what, text);
  }
}

function numberOf(token: Token): number {
  return Number(token.text.replaceAll("_", ""));
}
