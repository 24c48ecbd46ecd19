import {descendantsIn, look, lookAgain} from '../../../platform/process-table.ts'

/** A program that builds another one and starts it, recognized by the command lines of its processes. */
interface Builder {
  readonly name: string
  readonly runs: RegExp
  /** Matches a process of the built program. undefined: such a process is not known, as a daemon of the builder starts it. */
  readonly built?: RegExp
  /** Matches the current part of a build in the command line of a process. */
  readonly part?: RegExp
  /** The command that only builds. `runs`: the line that matched; `program`: the first word of the app's command. */
  readonly before: (runs: string, program: string) => string
}

const BUILDERS: readonly Builder[] = [
  {
    name: 'go',
    runs: /(?:^|\/)(go run (?:-\S+ )*\S+)/,
    // go starts a program that was built before from its cache
    built: /^\S*(?:\/go-build\S*\/exe\/|\/[\da-f]{2}\/[\da-f]{64}-d\/)/,
    part: / -p (\S+)/,
    before: runs => runs.replace('go run', 'go build -o /dev/null')
  },
  {
    name: 'cargo',
    runs: /(?:^|\/)(cargo(?: --?\S+)* (?:run|watch))\b/,
    built: /^\S*target\/(?:debug|release)\/[^/ ]+(?: |$)/,
    part: /--crate-name (\S+)/,
    before: () => 'cargo build'
  },
  {
    name: 'Maven',
    // exec:java and jetty:run start the program in its own process
    runs: /^(?!.*(?:exec:java|jetty:run))(?:(?:\S*sh (?:-\S+ )*)?(?:\S*\/)?mvnw?(?: |$)|.*(?:plexus\.classworlds|MavenWrapperMain))/,
    built: /^\S*java (?!.*(?:plexus\.classworlds|MavenWrapperMain))/,
    before: (_, program) => `${program} -q package -DskipTests`
  },
  {
    name: 'Gradle',
    // its daemon starts the program
    runs: /^(?:\S*sh (?:-\S+ )*)?(?:\S*\/)?gradlew?(?: |$)|GradleWrapperMain|GradleMain/,
    before: (_, program) => `${program} classes`
  },
  {
    name: 'dotnet',
    runs: /(?:^|\/)dotnet (?:run|watch)\b/,
    built: /\/bin\/(?:[^/ ]+\/)?(?:debug|release)[^/ ]*\//i,
    before: () => 'dotnet build'
  },
  {name: 'uv', runs: /(?:^|\/)uv run\b/, built: /^\S*python[\d.]* /, before: () => 'uv sync'},
  {name: 'docker', runs: /(?:^|\/)docker (?:buildx )?build\b/, built: /(?!)/, before: () => ''}
]

/** Matches lines of builders and package managers about their progress. */
const STEP =
  /^\s*(?:go: (downloading \S+)|(Compiling \S+)|(Download(?:ing|ed) (?:from \S+: )?\S+)|(Updating .* index)|(Blocking waiting .*)|#\d+ (.*))/i

/** A first build that was under way, in words, and the command that does it beforehand; '': none is known. */
interface FirstBuild {
  readonly text: string
  readonly command: string
}

/** Returns the command lines of a process and its descendants. */
export async function commandLines(pid: number): Promise<readonly string[]> {
  const {all} = await look()
  const pids = [pid, ...descendantsIn(all, [pid]).map(each => each.pid)]
  const found = await Promise.all(pids.map(async each => (await lookAgain(each))?.command ?? ''))
  return found.filter(line => line !== '')
}

/** Whether a builder runs, and not yet the program that it builds. */
export const isBuilding = (processes: readonly string[]): boolean =>
  BUILDERS.some(
    ({runs, built}) =>
      built !== undefined && processes.some(line => runs.test(line)) && !processes.some(line => built.test(line))
  )

/** Finds the build that an app is busy with, by its processes and the last lines that it wrote. undefined: no known builder is at work. */
export function firstBuild(
  processes: readonly string[],
  lines: readonly string[],
  program: string
): FirstBuild | undefined {
  const image = lines.map(line => /Unable to find image '([^']+)'/.exec(line)?.[1]).findLast(Boolean)
  const isOver = lines.some(line => /Status: (?:Downloaded|Image is)|Error response from daemon/.test(line))
  if (image !== undefined && processes.length > 0 && !isOver)
    return {text: `its image ${image} is being pulled`, command: `docker pull ${image}`}
  for (const {name, runs, built, part, before} of BUILDERS) {
    const found = processes.map(line => runs.exec(line)).find(match => match !== null)
    if (found === undefined || found === null || processes.some(line => built?.test(line))) continue
    const parts = processes.flatMap(line =>
      part?.exec(line)?.[1] === undefined ? [] : [`compiling ${part.exec(line)?.[1]}`]
    )
    const steps = lines.flatMap(line => STEP.exec(line)?.slice(1).find(Boolean) ?? [])
    const step = parts.at(-1) ?? steps.at(-1)
    const what = step === undefined ? '' : `: ${step}`
    return {text: `its first build by ${name} has not ended${what}`, command: before(found[1] ?? '', program)}
  }
  return undefined
}
