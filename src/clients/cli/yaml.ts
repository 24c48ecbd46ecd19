// A separate file, so that only `-o yaml` loads the library.
import {stringify} from 'yaml'

/** YAML as Dapr's CLI prints it. */
export const plainYaml = (value: unknown): string => stringify(value, {lineWidth: 0})
