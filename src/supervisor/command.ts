import {join, resolve} from 'node:path'
import {isProgram, namesInFolder} from '../platform/paths.ts'
import {nearMiss} from '../model/near-miss.ts'

/** Explains why a shell exits with 127 for this command; '' if the command can be found. */
export function whyNotFound([program = '']: readonly string[], folder: string, searchPath: string): string {
  if (program.includes('/')) {
    const path = resolve(folder, program)
    return isProgram(path) ? '' : `${path} is not an executable file; relative paths start at appDirPath`
  }
  const folders = [...new Set(searchPath.split(':'))]
  if (folders.some(each => isProgram(resolve(folder, each, program)))) return ''
  return `"${program}" is in no folder of PATH (${folders.join(':')})${adviceFor(program, folder, folders)}`
}

/** Advises about a missing program: npm's folder of programs is not in PATH, and `python` may exist only as `python3`. */
function adviceFor(program: string, folder: string, folders: readonly string[]): string {
  const local = join('node_modules', '.bin', program)
  if (isProgram(resolve(folder, local))) return `; npm has it: write command: [./${local}, …]`
  // suggests only long names: a short one is always close to another program
  const near =
    program.length < 4 ? '' : nearMiss(program, new Set(folders.flatMap(each => namesInFolder(resolve(folder, each)))))
  return near === '' ? '' : `; did you mean ${near}?`
}

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
