import {dirname, join, resolve} from 'node:path'
import {packageScript} from '../files/config/package-script.ts'
import {orElse} from '../model/or-else.ts'
import {readTextFile} from '../model/read-file.ts'

/** Programs whose bind is redirected, recognized by a word of their command. */
const IS_MOVED =
  /\b(?:node|npm|npx|pnpm|yarn|tsx|vite|next|nuxt|astro|ng|python3?|flask|uvicorn|gunicorn|hypercorn|fastapi)\b/

/** How other programs get the port at which they listen. */
const ADVICE: readonly (readonly [program: RegExp, advice: string])[] = [
  [/\bdeno\b/, 'Deno: read PORT in its code, or start it as sh -c "DENO_SERVE_ADDRESS=tcp:127.0.0.1:$PORT deno run …"'],
  [/\bbun\b/, 'Bun: read PORT in its code: Bun.serve({port: process.env.PORT})'],
  [/\bspring-boot\b|\bbootRun\b/, 'Spring Boot: start it as sh -c "SERVER_PORT=$PORT java -jar …"'],
  [/\b(?:java|mvnw?|gradlew?)\b/, 'Java: read PORT in its code: System.getenv("PORT")'],
  [/\bdotnet\b/, 'ASP.NET: start it as sh -c "ASPNETCORE_HTTP_PORTS=$PORT dotnet run --no-launch-profile"'],
  [/\bgo\b/, 'Go: read PORT in its code: http.ListenAndServe(":"+os.Getenv("PORT"), nil)'],
  [/\bcargo\b/, 'Rust: read PORT in its code: std::env::var("PORT")']
]

const GENERAL = 'let it listen at the port in the variable PORT'

const BUILDS_OF_JAVA = ['pom.xml', 'build.gradle', 'build.gradle.kts']

/** The text of a program's command, with the script in package.json that it starts, or the framework in the build file of its jar. */
export function programText(command: readonly string[], folder: string): string {
  const text = command.join(' ')
  const [, script] = /\b(?:npm|pnpm|yarn|bun) (?:run )?([\w:.-]+)/.exec(text) ?? []
  if (script === undefined) return `${text}${isSpringBoot(text, folder) ? ' spring-boot' : ''}`
  const found = packageScript([script], folder)
  return found === undefined ? text : `${text} ${found.script}`
}

/** Whether a build file names Spring Boot: in the program's folder, or two or three folders above its jar. */
function isSpringBoot(command: string, folder: string): boolean {
  const [, jar = '.'] = /(?<!\S)(\S+)\/[^/\s]+\.jar\b/.exec(command) ?? []
  const places = [folder, dirname(resolve(folder, jar)), resolve(folder, jar, '../..')]
  const files = places.flatMap(place => BUILDS_OF_JAVA.map(name => join(place, name)))
  return files.some(file => orElse(() => readTextFile(file), '').includes('spring-boot'))
}

/** Returns the change by which a program listens at its port. `listening` is its present port, if any. */
export function portAdvice(program: string, listening?: number): string {
  if (!IS_MOVED.test(program)) return ADVICE.find(([pattern]) => pattern.test(program))?.[1] ?? GENERAL
  return listening === undefined
    ? 'what sets NODE_OPTIONS or PYTHONPATH for it has to add to them: Pillion moves its bind by these; or let it read PORT'
    : `write fixedPort: ${listening}, the number that it has in its code: Pillion moves its bind`
}
