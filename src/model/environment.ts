/** Environment variables by name, as `process.env` has them: of the shell in which a run was started, unless said otherwise. */
export type Environment = Readonly<Record<string, string | undefined>>
