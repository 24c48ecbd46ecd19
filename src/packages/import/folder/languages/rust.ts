import {addressIn} from './go.ts'
import {has, readText} from '../../reading/files.ts'
import {movedByVariable, projectApp, type ProjectReader} from './project.ts'

/** Programs of Rust. */
export const rust: ProjectReader = {
  appsIn(folder) {
    if (!has(folder, 'Cargo.toml') || !has(folder, 'src/main.rs')) return []
    const text = readText(folder, 'src/main.rs')
    return [projectApp(folder, {command: ['cargo', 'run'], port: addressIn(text), move: movedByVariable(text)})]
  },
  reasonOf: folder => (has(folder, 'Cargo.toml') ? 'it has no src/main.rs' : '')
}
