import {whyNotFound} from '../platform/program-version.ts'

/** Explains why a single app's command is not found, with the message of Go's `exec.LookPath`; '' if it can be found. */
export function lookPathFault([program = '']: readonly string[], folder: string, searchPath: string): string {
  if (whyNotFound([program], folder, searchPath) === '') return ''
  const why = program.includes('/')
    ? `stat ${program}: no such file or directory`
    : 'executable file not found in $PATH'
  return `${program}: exec: ${JSON.stringify(program)}: ${why}`
}

/** An assignment of a shell, a system property of Java, or an option with a dotted name, and its value. */
const ASSIGNED = /(?<![^\s"';(])(?:([A-Za-z_]\w*)|(?:-D|--)([A-Za-z][\w-]*(?:\.[\w-]+)+))=["']?([^\s"';)]+)/g

/**
 * The variables by which a program gets the same port without its command, as an IDE starts it: `SERVER_PORT=$PORT java …`, or
 * `--server.port=$PORT`, which Spring Boot and Quarkus also read from `SERVER_PORT`
 * (docs.spring.io/spring-boot/reference/features/external-config.html).
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
