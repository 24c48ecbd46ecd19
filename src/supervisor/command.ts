import {whyNotFound} from '../platform/program-version.ts'

/** Explains in the words of Go's `exec.LookPath` why the command of a single app is not found; '': it is found. */
export function lookPathFault([program = '']: readonly string[], folder: string, searchPath: string): string {
  if (whyNotFound([program], folder, searchPath) === '') return ''
  const why = program.includes('/')
    ? `stat ${program}: no such file or directory`
    : 'executable file not found in $PATH'
  return `${program}: exec: ${JSON.stringify(program)}: ${why}`
}

/** Matches an assignment of a shell, a system property of Java, or an option with a dotted name, and the value. */
const ASSIGNED = /(?<![^\s"';(])(?:([A-Za-z_]\w*)|(?:-D|--)([A-Za-z][\w-]*(?:\.[\w-]+)+))=["']?([^\s"';)]+)/g

/**
 * Returns variables that give a program its port when an IDE starts it without its command. `SERVER_PORT` for `SERVER_PORT=$PORT java …` and
 * for `--server.port=$PORT`: Spring Boot and Quarkus read both (docs.spring.io/spring-boot/reference/features/external-config.html).
 */
export function commandPorts(command: readonly string[], appPort: number): Readonly<Record<string, string>> {
  const found = Array.from(command.join(' ').matchAll(ASSIGNED), ([, variable, property = '', value = '']) => {
    const text = value.replaceAll(/\$(?:\{(?:APP_)?PORT\}|(?:APP_)?PORT\b)/g, appPort.toString())
    const name = variable ?? property.replaceAll('.', '_').replaceAll('-', '').toUpperCase()
    return [name, text, text !== value || (value === appPort.toString() && /port/i.test(name))] as const
  })
  const ports = found.filter(([, text, isPort]) => isPort && !text.includes('$'))
  return appPort === 0 ? {} : Object.fromEntries(ports.map(([name, text]) => [name, text]))
}
