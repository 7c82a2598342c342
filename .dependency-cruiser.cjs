/** The arrows of lib/ (README, "Rooms"): a room imports rooms below it, never one above. Top of lib/ = index and co. */
const floors = [
  ["cli"],
  ["[^/]+\\.m?ts"],
  ["model"],
  ["training", "evaluation", "prediction"],
  ["native"],
  ["data"],
  ["config"],
  ["files"],
  ["errors"],
];

const onFloor = (rooms) => `^lib/(${rooms.join("|")})(/|\\.ts$|$)`;

const upwards = floors.slice(1).map((rooms, above) => ({
  name: `upwards-from-${rooms.length > 1 ? "verbs" : rooms[0].includes("ts") ? "index" : rooms[0]}`,
  comment: "A room never imports against the arrows",
  severity: "error",
  from: { path: onFloor(rooms) },
  to: { path: onFloor(floors.slice(0, above + 1).flat()), pathNot: onFloor(rooms) },
}));

/** Outside packages, and the one room that knows each. */
const owners = {
  "node-gyp-build": "native",
  "@duckdb/node-api": "data",
  "@duckdb/node-bindings": "data",
  zod: "config",
  "jsonc-parser": "config",
  commander: "cli",
};

module.exports = {
  forbidden: [
    ...upwards,
    ...Object.entries(owners).map(([name, room]) => ({
      name: `only-${room}-imports-${name.replace(/[^a-z-]/g, "")}`,
      comment: `${name} stays an affair of lib/${room}`,
      severity: "error",
      from: { path: "^lib/", pathNot: `^lib/${room}/` },
      to: { path: `node_modules/${name}/` },
    })),
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-development-package",
      comment: "What lib/ imports must be there where the package is installed",
      severity: "error",
      from: { path: "^lib/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["require", "node", "default"] },
  },
};
