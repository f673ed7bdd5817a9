// One indicator call: is there such an indicator, does it take these parameters, has it that output.

import { findIndicator, indicatorNames, isPlannedIndicator } from '../indicators/catalog.ts';
import type { IndicatorDefinition, ParameterDefinition } from '../indicators/definition.ts';
import { FIELDS, type Expression, isConstant } from './ast.ts';
import { nearest } from './suggest.ts';
import { RuleError, type Token } from './token.ts';

/** An argument and its characters in the rule. */
export interface Argument {
  readonly expression: Expression;
  readonly offset: number;
  readonly length: number;
}

export function buildCall(
  name: Token,
  args: readonly Argument[],
  output: Token | undefined,
): Expression {
  const definition = findIndicator(name.text);
  if (definition === undefined) throw unknownName(name);
  const first = args[0];
  const hasSource = first !== undefined && !isConstant(first.expression);
  if (hasSource && definition.source === null) {
    throw new RuleError(
      `${definition.name} is computed from whole candles, not from a series`,
      first,
    );
  }
  const given = hasSource ? args.slice(1) : args;
  const defaultSource: Expression | null =
    definition.source === null ? null : { kind: 'field', field: definition.source };
  return {
    kind: 'indicator',
    name: definition.name,
    output: outputOf(definition, name, output),
    source: hasSource ? first.expression : defaultSource,
    parameters: parametersOf(definition, name, given),
  };
}

/** `own`: names that the strategy gives. */
export function unknownName(token: Token, own: Iterable<string> = []): RuleError {
  const names = indicatorNames();
  if (names.includes(token.text)) {
    return new RuleError(`"${token.text}" needs its parameters, as in ${token.text}(14)`, token);
  }
  if (isPlannedIndicator(token.text)) {
    return new RuleError(`indicator "${token.text}" is known but not built yet`, token);
  }
  const near = nearest(token.text, [...own, ...names, ...FIELDS]);
  const guess = near === undefined ? `there are ${names.join(', ')}` : `did you mean "${near}"?`;
  return new RuleError(`unknown indicator "${token.text}"`, token, joinedName(token.text) ?? guess);
}

/** `macd_hist` and `stoch_d` are how others write an output; the hint says how it is written here. */
function joinedName(text: string): string | undefined {
  const [, base = '', output = ''] = /^(.+)_([a-z]+)$/.exec(text) ?? [];
  if (findIndicator(base)?.outputs.includes(output) !== true) return undefined;
  return `write ${base}(…).${output}, or "indicator": "${base}" with "output": "${output}"`;
}

/** Says what is wrong with a parameter's value, or undefined. */
export function parameterFault(parameter: ParameterDefinition, value: number): string | undefined {
  const { name, min, max, isWhole } = parameter;
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return undefined;
  return `${name} must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, not ${value}`;
}

function parametersOf(
  definition: IndicatorDefinition,
  name: Token,
  given: readonly Argument[],
): Expression[] {
  const { parameters } = definition;
  const least = parameters.filter((parameter) => parameter.fallback === undefined).length;
  if (given.length < least || given.length > parameters.length) {
    const wanted = parameters.map((parameter) => parameter.name).join(', ');
    throw new RuleError(
      `${definition.name} takes ${definition.name}(${wanted}), not ${given.length} parameters`,
      name,
    );
  }
  return parameters.map((parameter, index) => {
    const argument = given[index];
    if (argument === undefined) return { kind: 'number', value: parameter.fallback ?? NaN };
    const { expression } = argument;
    if (!isConstant(expression)) {
      throw new RuleError(`${parameter.name} must be a number or a $variable`, argument);
    }
    if (expression.kind === 'number') {
      const fault = parameterFault(parameter, expression.value);
      if (fault !== undefined) throw new RuleError(`${definition.name}: ${fault}`, argument);
    }
    return expression;
  });
}

function outputOf(definition: IndicatorDefinition, name: Token, output: Token | undefined): string {
  const { outputs } = definition;
  const [only] = outputs;
  if (output === undefined) {
    if (outputs.length === 1 && only !== undefined) return only;
    throw new RuleError(
      `${definition.name} has the outputs ${outputs.join(', ')}: name one`,
      name,
      `write ${definition.name}(…).${only}`,
    );
  }
  if (outputs.length > 1 && outputs.includes(output.text)) return output.text;
  if (outputs.length === 1) {
    throw new RuleError(`${definition.name} has one output and needs no ".${output.text}"`, output);
  }
  const near = nearest(output.text, outputs);
  throw new RuleError(
    `${definition.name} has no output "${output.text}"`,
    output,
    near === undefined ? `there are ${outputs.join(', ')}` : `did you mean "${near}"?`,
  );
}
