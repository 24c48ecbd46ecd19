import {packageScript} from '../files/config/package-script.ts'

/** Programs whose bind is redirected, recognized by a word of their command. */
const IS_MOVED =
  /\b(?:node|npm|npx|pnpm|yarn|tsx|vite|next|nuxt|astro|ng|python3?|flask|uvicorn|gunicorn|hypercorn|fastapi)\b/

/** How other programs get the port at which they listen. */
const ADVICE: readonly (readonly [program: RegExp, advice: string])[] = [
  [/\bdeno\b/, 'Deno: read PORT in its code, or start it as sh -c "DENO_SERVE_ADDRESS=tcp:127.0.0.1:$PORT deno run …"'],
  [/\bbun\b/, 'Bun: read PORT in its code: Bun.serve({port: process.env.PORT})'],
  [/\b(?:java|mvnw?|gradlew?)\b/, 'Spring Boot: start it as sh -c "SERVER_PORT=$PORT java -jar …"'],
  [/\bdotnet\b/, 'ASP.NET: start it as sh -c "ASPNETCORE_HTTP_PORTS=$PORT dotnet run --no-launch-profile"'],
  [/\bgo\b/, 'Go: read PORT in its code: http.ListenAndServe(":"+os.Getenv("PORT"), nil)'],
  [/\bcargo\b/, 'Rust: read PORT in its code: std::env::var("PORT")']
]

const GENERAL = 'let it listen at the port in the variable PORT'

/** The text of a program's command: of the script in package.json, if it starts one. */
export function programText(command: readonly string[], folder: string): string {
  const text = command.join(' ')
  const [, script] = /\b(?:npm|pnpm|yarn|bun) (?:run )?([\w:.-]+)/.exec(text) ?? []
  if (script === undefined) return text
  const found = packageScript([script], folder)
  return found === undefined ? text : `${text} ${found.script}`
}

/** What to change so that a program listens where it should. `listening`: where it listens instead; undefined: nowhere. */
export function portAdvice(program: string, listening?: number): string {
  if (!IS_MOVED.test(program)) return ADVICE.find(([pattern]) => pattern.test(program))?.[1] ?? GENERAL
  return listening === undefined
    ? 'what sets NODE_OPTIONS or PYTHONPATH for it has to add to them: Pillion moves its bind by these; or let it read PORT'
    : `write fixedPort: ${listening}, the number that it has in its code: Pillion moves its bind`
}
