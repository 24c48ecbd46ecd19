// The page of messages: each code of a warning, a mistake and a hint, with what stands behind it in the source.
import {readFileSync} from 'node:fs'
import {join} from 'node:path'

/** The codes of a type, each with the comment behind it. */
function codesIn(file: string): readonly (readonly [code: string, meaning: string])[] {
  const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
  return [...text.matchAll(/^ {2}\| '([\w-]+)'(?: \/\/ (.*))?$/gm)].map(([, code = '', meaning]) => {
    if (meaning === undefined)
      throw new Error(`${file}: '${code}' has no meaning: write it behind the code, as a comment`)
    return [code, meaning.replaceAll('|', '\\|')] as const
  })
}

/** The rows of a table of codes. */
const rows = (file: string): string =>
  codesIn(file)
    .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
    .join('\n')

const mistakes = (): string =>
  codesIn('src/model/mistake-code.ts')
    .map(([code, text]) => {
      const [kind = '', ...meaning] = text.split(': ')
      return `| \`${code}\` | ${kind} | ${meaning.join(': ')} |`
    })
    .join('\n')

export const messagesPage = (): string => `# Messages for scripts

<!-- written by \`npm run docs\` from src/model/reporter.ts, mistake-code.ts and hint-code.ts -->

The wording of a warning may change; its code does not. With \`--log-as-json\` each warning of \`run\` and \`stop -f\` is one line of JSON on stderr, and \`code\` is its last key:

\`\`\`
{"time":"2026-01-01T12:00:00.000Z","status":"warning","msg":"\\"stock\\" is not ready after 60 s: …","code":"app-not-ready"}
\`\`\`

| code | meaning |
|---|---|
${rows('src/model/reporter.ts')}

## Mistakes in a template

Each mistake that \`validate\` finds has a code. With \`-o json\` it is the last key of each entry of \`errors\` and \`findings\`:

\`\`\`
{"file":"dapr.yaml","line":5,"column":5,"message":"comand is ignored: unknown key","expected":"","hint":"did you mean command?","code":"unknown-key"}
\`\`\`

With an error the template cannot run, and \`validate\` exits with 1. With warnings only it exits with 0.

| code | kind | meaning |
|---|---|---|
${mistakes()}

## Hints

An error of a command names the next step. If stdin is not a terminal, as in a script, in CI or with a coding agent, this hint is one line on stderr with its code at the end, and names commands that return, such as \`pillion up -d\`. With \`--log-as-json\` the error is one line with both:

\`\`\`
❌  there is no run
Nothing is running: "pillion up -d" starts the template of a folder. [no-run]

{"time":"2026-01-01T12:00:00.000Z","status":"failure","msg":"there is no run","hint":"Nothing is running: …","code":"no-run"}
\`\`\`

A hint that shows a place in a file has several lines, and the code of its mistake in JSON alone.

| code | meaning |
|---|---|
${rows('src/model/hint-code.ts')}
`
