import {stringify} from 'yaml'

/** One document of YAML. Texts that YAML 1.1 or 1.2 would read as something else are quoted. */
export const yamlText = (value: unknown): string =>
  stringify(value, {version: '1.2', compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false})
