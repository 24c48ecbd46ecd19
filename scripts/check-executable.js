// Whether an executable is what its system starts, as far as its file tells: what is wrong throws.
import {readFileSync} from 'node:fs'
import {parseMachO, readSignature} from './mach-o.js'

/** Machines of ELF (elf(5), e_machine). */
const MACHINES = {'linux-x64': 62, 'linux-arm64': 183}
/** The system that Node itself asks for. */
const MACOS = '13.5'

export function checkExecutable(path, target) {
  const file = readFileSync(path)
  const faults = target.startsWith('darwin') ? faultsOfMachO(file, target) : faultsOfElf(file, target)
  if (faults.length > 0) throw new Error(`${path} is not right for ${target}: ${faults.join('; ')}`)
}

function faultsOfElf(file, target) {
  const faults = []
  if (file.toString('latin1', 0, 4) !== '\x7fELF') return ['no ELF']
  if (file.readUInt16LE(18) !== MACHINES[target]) faults.push(`machine ${file.readUInt16LE(18)}`)
  const [headers, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)]
  for (let index = 0; index < count; index++) {
    const from = headers + index * size
    const [offset, length] = [8, 32].map(by => Number(file.readBigUInt64LE(from + by)))
    if (offset + length > file.length) faults.push(`segment ${index} ends behind the file`)
  }
  if (!file.includes('NODE_SEA_BLOB')) faults.push('no program inside')
  return faults
}

function faultsOfMachO(file, target) {
  const {isArm, segments, libraries, minimum, end, room} = parseMachO(file)
  const faults = []
  if (isArm !== (target === 'darwin-arm64')) faults.push('another processor')
  if (minimum !== undefined && minimum !== MACOS) faults.push(`macOS ${minimum} is asked for, not ${MACOS}`)
  if (end > room) faults.push('its load commands reach into its code')
  let before = 0
  for (const [name, {offset, size, memory, address}] of Object.entries(segments)) {
    if (offset + size > file.length) faults.push(`${name} ends behind the file`)
    if (size > memory) faults.push(`${name} is larger than its memory`)
    if (address < before) faults.push(`${name} overlaps the one before`)
    before = address + memory
  }
  const {offset = 0, size = 0} = segments['__LINKEDIT'] ?? {}
  if (offset + size !== file.length) faults.push('__LINKEDIT does not end the file')
  if (!segments['NODE_SEA']?.sections.some(({size}) => size > 0)) faults.push('no program inside')
  const foreign = libraries.filter(name => !/^\/(?:usr\/lib|System\/Library)\//.test(name))
  if (foreign.length > 0) faults.push(`it needs ${foreign.join(', ')}`)
  const signature = readSignature(file)
  if (signature === undefined) faults.push('no signature')
  else if (signature.bad > 0) faults.push(`${signature.bad} of ${signature.slots} pages are not as they were signed`)
  else if (!signature.endsFile || !signature.isAdHoc) faults.push('its signature does not cover it')
  return faults
}
