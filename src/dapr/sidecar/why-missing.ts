import type {ResourceSnapshot} from '../../files/resources/app-resources.ts'
import {isForDaprd, isUnbuilt} from '../../files/resources/component-support.ts'

/** Why a Component is missing although a file defines it, for the error of a call that uses it. */
export function whyMissing({components, withoutEffect}: ResourceSnapshot, name: string, whyNoDaprd: string): string {
  const denial = withoutEffect.find(({component, isDenied}) => isDenied === true && component?.name === name)
  if (denial !== undefined) return ` (${denial.place.file}:${denial.place.line} names it, but ${denial.why})`
  const found = components.find(component => component.name === name && isUnbuilt(component))
  if (found === undefined) return ''
  const {file, line} = found.place
  const place = `${file}:${line} names it`
  return isForDaprd(found, 'needed') && whyNoDaprd !== ''
    ? ` (${place}, but its type ${found.type} needs a real daprd: ${whyNoDaprd})`
    : ` (${place}, but its type ${found.type} is not supported yet)`
}
