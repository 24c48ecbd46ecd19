import type {Program} from './program.ts'

/** The results that the app of a client has printed as `RESULT <name> <JSON>`, once it has printed `RESULT done`. */
export async function resultsOf(run: Program, app = 'shop'): Promise<Readonly<Record<string, unknown>>> {
  const start = `== APP - ${app} == RESULT `
  await run.waitForLine(`${start}done`, {limitMs: 60_000})
  return Object.fromEntries(
    run.stdout.lines
      .filter(line => line.startsWith(start))
      .map(line => /^(\S+) (.*)$/.exec(line.slice(start.length)) ?? [])
      .map(([, name = '', json = '']) => [name, JSON.parse(json) as unknown])
  )
}

/** One of these results, as soon as it is printed. */
export async function resultOf(run: Program, name: string): Promise<unknown> {
  const start = `RESULT ${name} `
  const line = await run.waitForLine(start, {limitMs: 30_000})
  return JSON.parse(line.slice(line.indexOf(start) + start.length))
}
