import {existsSync} from 'node:fs'
import {homedir} from 'node:os'
import {basename, join, relative} from 'node:path'
import type {ImportedApp} from '../../imported.ts'
import {allIn, has, readText, statAt} from '../../reading/files.ts'
import type {ProgramVariables} from '../../reading/variables.ts'
import type {ProjectReader, ProjectStart} from './reader.ts'

/** Programs of the JVM: Spring Boot, Quarkus, and those of Gradle's plugin `application`. */
export const java: ProjectReader = {
  startsIn: (folder, env) => [mavenStart(folder, env) ?? gradleStart(folder, env)].filter(each => each !== undefined),
  reasonOf(folder) {
    const [pom, isGradle] = [readText(folder, 'pom.xml'), has(folder, 'build.gradle', 'build.gradle.kts')]
    if (pom === '' ? !isGradle || has(folder, ...SETTINGS) : isParent(folder)) return ''
    if (SPRING.test(pom || gradleText(folder))) return 'none of its classes starts Spring'
    if (pom !== '') return 'its pom.xml has neither Spring Boot nor Quarkus'
    return 'its build file has neither Spring Boot nor the plugin application'
  }
}

const SETTINGS = ['settings.gradle', 'settings.gradle.kts']

/** A project of modules starts none by itself. */
const isParent = (folder: string): boolean => /<packaging>\s*pom\s*<|<modules>/.test(readText(folder, 'pom.xml'))

function mavenStart(folder: string, env: ProgramVariables): ProjectStart | undefined {
  const pom = readText(folder, 'pom.xml')
  if (pom === '' || isParent(folder)) return undefined
  const maven = wrapper(folder, 'mvnw', 'mvn')
  const notes = siblingsOf(folder, pom)
  if (SPRING.test(pom) && startsSpring(folder))
    return {command: [...maven, '-q', 'spring-boot:run'], notes: [...notes, ...unsetNotes(folder, env)]}
  return pom.includes('quarkus') ? {command: [...maven, '-q', 'quarkus:dev'], notes} : undefined
}

const SPRING =
  /spring-(?:boot-(?:maven-plugin|gradle-plugin|starter)|cloud-starter)|org\.springframework\.boot|spring\.?boot\)/i

/** Returns modules that a module needs: Maven takes them from its repository on this machine. */
function siblingsOf(folder: string, pom: string): readonly string[] {
  const parent = join(folder, '..')
  const modules = [...readText(parent, 'pom.xml').matchAll(/<module>\s*([^<\s]+)\s*</g)].map(([, name = '']) => name)
  const needed = modules.filter(name => name !== basename(folder) && pom.includes(`<artifactId>${basename(name)}<`))
  if (needed.length === 0) return []
  return [`it needs ${needed.join(', ')} of the same project: mvn install -DskipTests in the folder above, once`]
}

const gradleText = (folder: string): string => readText(folder, 'build.gradle') + readText(folder, 'build.gradle.kts')

function gradleStart(folder: string, env: ProgramVariables): ProjectStart | undefined {
  const own = gradleText(folder)
  const root = [folder, join(folder, '..'), join(folder, '../..')].find(each => has(each, ...SETTINGS)) ?? folder
  const names = relative(root, folder).split('/').filter(Boolean)
  const task = (name: string): string => [...names.map(each => `:${each}`), names.length > 0 ? ':' : '', name].join('')
  const gradle = wrapper(folder, 'gradlew', 'gradle')
  const applied = own.replaceAll(/.*apply false.*/g, '')
  const isRoot = SETTINGS.some(each => /^\s*include\b/m.test(readText(folder, each))) && !has(folder, 'src')
  if (SPRING.test(applied) && !isRoot && startsSpring(folder))
    return {command: [...gradle, '-q', task('bootRun')], notes: unsetNotes(folder, env)}
  return /(?<!android\.)\bapplication\b(?!\.)/.test(own) ? {command: [...gradle, '-q', task('run')]} : undefined
}

/** The wrapper in the folder or above it, by a shell if git has it as no program, else the program of the machine. */
function wrapper(folder: string, script: string, program: string): readonly string[] {
  const found = ['.', '..', '../..', '../../..'].find(each => has(join(folder, each), script))
  if (found === undefined) return [program]
  const isProgram = ((statAt(join(folder, found, script))?.mode ?? 0) & 0o100) > 0
  return [...(isProgram ? [] : ['sh']), `${found}/${script}`]
}

/** A note on several wrappers of Maven that download it when they start: at once they break each other's files. */
export function mavenNote(apps: readonly ImportedApp[]): readonly string[] {
  const wrapped = apps.filter(({keys}) => /\bmvnw\b/.test(String(keys['command'])))
  if (wrapped.length < 2 || existsSync(join(homedir(), '.m2/wrapper/dists'))) return []
  return [
    'mvnw downloads Maven at its first start, and several at once break each other: run sh mvnw -v in a folder first'
  ]
}

/** Finds the port in the settings of Spring Boot. */
export const springPort = (folder: string): {readonly port: number} => portBy(SERVER_PORT, settingsOf(folder))

/** Finds the port in the settings of Quarkus, in its mode for development. */
export const quarkusPort = (folder: string): {readonly port: number} => {
  const settings = settingsOf(folder)
  return portBy(QUARKUS_PORT, `${/^%dev\.quarkus\.http\.port.*/m.exec(settings)?.[0] ?? ''}\n${settings}`)
}

const portBy = (pattern: RegExp, text: string): {readonly port: number} => ({
  port: Number(pattern.exec(text)?.[1] ?? 0)
})

/** Notes on variables of Spring's settings without a value, and on hosts in them that only a network of containers has. */
function unsetNotes(folder: string, env: ProgramVariables): readonly string[] {
  const [known, settings] = [{...process.env, ...env}, settingsOf(folder)]
  const named = Array.from(settings.matchAll(/[^#]\$\{([A-Z][A-Z\d_]*)\}/g), ([, name = '']) => name)
  const unset = [...new Set(named)].filter(name => name !== 'PORT' && !Object.hasOwn(known, name))
  // the services of a compose file give variables, and have notes on their hosts
  const called = Object.keys(env).length > 0 ? [] : settings.matchAll(HOST)
  const hosts = [...new Set(Array.from(called, ([, host = '']) => host))].join(' ')
  return [
    ...(unset.length === 0 ? [] : [`its settings name ${unset.join(', ')}, which have no value: write them into env`]),
    ...(hosts === '' ? [] : [`its settings call ${hosts}, here localhost: write 127.0.0.1 ${hosts} into /etc/hosts`])
  ]
}
const HOST = /:\/\/(?:[^@/\s]*@)?(?!localhost\b)([a-z][a-z-]*):(?=\d|\$)/g

/** The settings of an application of Spring Boot or Quarkus without comments; JHipster keeps them in `config`, with a profile for development. */
const settingsOf = (folder: string): string =>
  ['application', 'application-dev', 'application-local', 'bootstrap']
    .flatMap(name => ['properties', 'yml', 'yaml'].map(end => `${name}.${end}`))
    .flatMap(name => ['src/main/resources', 'src/main/resources/config'].map(way => readText(join(folder, way), name)))
    .join('\n')
    .replaceAll(/\r|^[ \t]*#.*/gm, '')
const QUARKUS_PORT =
  /^(?:(?:%dev\.)?quarkus\.http\.port[ \t]*=|quarkus:[ \t]*\n(?:[ \t]+\S.*\n|[ \t]*\n)*?[ \t]+http:[ \t]*\n(?:[ \t]+\S.*\n){0,40}?[ \t]+port:)[ \t]*(?:\$\{\w+:)?(\d+)/m
const SERVER_PORT =
  /^(?:[ \t]*server\.port[ \t]*=|server(?:\.port[ \t]*:|:[ \t]*\n(?:[ \t]+\S.*\n|[ \t]*\n)*?[ \t]+port:))[ \t]*(?:\$\{\w+:)?(\d+)/m

/** Whether a class starts Spring. A folder without classes starts it if it has Spring's settings. */
function startsSpring(folder: string): boolean {
  const main = join(folder, 'src')
  const files = allIn(main).filter(name => !/^\w*test\w*\//i.test(name))
  const sources = files.filter(name => /\.(?:java|kt|groovy|scala)$/.test(name))
  if (sources.length === 0) return !has(folder, 'src') || files.some(name => name.includes('application'))
  const likely = sources.toSorted((a, b) => Number(/App|Main|Boot/.test(b)) - Number(/App|Main|Boot/.test(a)))
  return likely.slice(0, 2000).some(name => /SpringBootApplication|SpringApplication/.test(readText(main, name)))
}
