import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { HeddleError } from '../../../src/errors.ts';
import { loadRegularExpressions } from '../../../src/services/tag-template/regular-expression.ts';
import { TemplateError } from '../../../src/services/tag-template/syntax.ts';
import { parseTagTemplate } from '../../../src/services/tag-template/template.ts';
import { snapshot } from '../../support/snapshot.ts';

const ARN = 'arn:aws:ecs:region:1:task/368f4403';
const CONTAINER = snapshot('e20f9c1a76565d', {
  name: 'web',
  image: 'nginx:1.9',
  hostname: 'box',
  metadata: new Map([
    ['ENVIRONMENT', 'test'],
    ['SERVICE_8105_NAME', 'foo'],
    ['SERVICE_9404_NAME', 'bar'],
    ['task', ARN],
    ['json', '{"where":{"country":"US"},"n":[1,2]}'],
  ]),
  labelNames: new Set(['task', 'json']),
  networks: [
    { name: 'bridge', ipv4: '172.17.0.2', ipv6: '' },
    { name: 'front', ipv4: '172.18.0.2', ipv6: '' },
  ],
});
beforeAll(loadRegularExpressions);

const rendered = (template: string) => parseTagTemplate(template).render(CONTAINER);

describe('a template of tags', () => {
  it.each([
    ['v1,blue', 'v1,blue'],
    ['{{strSlice .ID 0 12}}', 'e20f9c1a7656'],
    ['{{strSlice .ID 100}}', CONTAINER.id],
    ['{{strSlice .Name 1}}', 'web'],
    ['{{sIndex 0 .Config.Env}}', 'ENVIRONMENT=test'],
    ['{{sIndex -1 .Config.Env}}', 'SERVICE_9404_NAME=bar'],
    ['{{sIndex 9 .Config.Env}}', 'SERVICE_9404_NAME=bar'],
    ['{{mIndex "task" .Config.Labels}}', ARN],
    ['{{mIndex "none" .Config.Labels}}', ''],
    ['{{index .Config.Labels "task"}}', ARN],
    ['{{.Config.Labels.task}}', ARN],
    ['{{toUpper "foo"}}-{{toLower .Config.Hostname}}', 'FOO-box'],
    ['{{replace -1 "=" "" "=foo="}}', 'foo'],
    ['{{replace 1 "=" "$&" "=foo="}}', '$&foo='],
    ['{{join "," .Config.Env}}', 'ENVIRONMENT=test,SERVICE_8105_NAME=foo,SERVICE_9404_NAME=bar'],
    ['{{split "," "a,b"}}', '[a b]'],
    ['{{splitIndex -1 "/" .Config.Labels.task}}', '368f4403'],
    ['{{.Config.Labels.task | split "/" | sIndex 0}}', 'arn:aws:ecs:region:1:task'],
    ['{{matchFirstElement "^SERVICE_" .Config.Env}}', 'SERVICE_8105_NAME=foo'],
    [
      '{{matchAllElements "^SERVICE_" .Config.Env | join ","}}',
      'SERVICE_8105_NAME=foo,SERVICE_9404_NAME=bar',
    ],
    ['{{jsonParse .Config.Labels.json "where::country"}}', 'US'],
    ['{{jsonParse .Config.Labels.json "n"}}', '[1,2]'],
    ['{{jsonParse "no json" "a"}}', ''],
    ['{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Networks.front.IPAddress}}', '172.17.0.2 172.18.0.2'],
    ['{{if eq .Config.Hostname "box"}}yes{{else}}no{{end}}', 'yes'],
    ['{{if eq .Config.Hostname "a"}}1{{else if .State.Paused}}2{{else}}3{{end}}', '3'],
    [
      '{{range .Config.Env}}<{{.}}>{{end}}',
      '<ENVIRONMENT=test><SERVICE_8105_NAME=foo><SERVICE_9404_NAME=bar>',
    ],
    [
      '{{range .NetworkSettings.Networks}}{{.IPAddress}},{{$.Config.Hostname}};{{end}}',
      '172.17.0.2,box;172.18.0.2,box;',
    ],
    ['{{with .Config.Labels.task}}{{len .}}{{end}}{{with .Config.Domainname}}no{{end}}', String(ARN.length)],
    ['a {{- " b " -}} c{{/* not this }} */}}', 'a b c'],
    ['{{strSlice (toUpper .Config.Hostname) 0 (len "ab")}}', 'BO'],
    ['{{"}}"}}{{`"`}}', '}}"'],
    [
      '{{and .State.Running true}} {{or .Config.Domainname "none"}} {{not nil}} {{ne 1 2}}',
      'true none true true',
    ],
  ])('%s gives %j', (template, expected) => {
    expect(rendered(template)).toBe(expected);
  });

  it.each([
    ['{{.Config.Image', 'is not closed'],
    ['{{', 'is not closed'],
    ['{{}}', 'an action is empty'],
    ['{{.Config.Imag}}', 'no field .Config.Imag'],
    ['{{$.Nothing}}', 'no field $.Nothing'],
    ['{{range .Config.Env}}{{$.Nothing}}{{end}}', 'no field $.Nothing'],
    ['{{uppercase "a"}}', 'no function uppercase'],
    ['{{toUpper}}', 'expected toUpper TEXT'],
    ['{{toUpper "a" "b"}}', 'expected toUpper TEXT'],
    ['{{toUpper "a" | join "," "b"}}', 'expected join'],
    ['{{if .State.Running}}', '{{if}} has no {{end}}'],
    ['{{if true}}a{{else}}b{{else}}c{{end}}', '{{if}} has no {{end}}'],
    ['{{end}}', 'closes no block'],
    ['{{toUpper (toLower "a"}}', 'brackets'],
    ['{{toUpper "a")}}', 'brackets'],
    ['{{"\\x"}}', 'escape'],
    ['{{.Name "a"}}', 'only functions'],
    ['{{"a" | .Name}}', 'only functions'],
    ['{{$x := .Name}}', 'is not valid here'],
    ['{{httpGet .Config.Labels.task}}', 'expected httpGet "URL"'],
    ['{{"http://host/" | httpGet}}', 'expected httpGet "URL"'],
    ['{{httpGet "http://host/" "b"}}', 'expected httpGet "URL"'],
    ['{{httpGet "file:///etc/passwd"}}', 'expected httpGet "URL"'],
    ['{{httpGet "http://"}}', 'expected httpGet "URL"'],
    ['{{if true}}'.repeat(50), 'deeper than'],
  ])('%s is refused: %s', (template, why) => {
    expect(() => parseTagTemplate(template)).toThrow(HeddleError);
    expect(() => parseTagTemplate(template)).toThrow(why);
  });

  it.each([
    ['{{sIndex 0 .Config.Labels}}', 'is not a list'],
    ['{{toUpper .State.Pid}}', 'is not a string'],
    ['{{matchFirstElement "(" .Config.Env}}', 'not a regular expression'],
    ['{{sIndex 0 (matchAllElements "zzz" .Config.Env)}}', 'has no element'],
    ['{{range .Config.Env}}{{.Name}}{{end}}', 'has no field Name'],
    ['{{range .Name}}a{{end}}', 'range takes a list or a map'],
    ['{{httpGet "http://u:p@host/zone?key=1"}}', /^http:\/\/host\/zone has not answered$/],
  ])('%s fails for the container alone: %s', (template, why) => {
    expect(() => rendered(template)).toThrow(TemplateError);
    expect(() => rendered(template)).toThrow(why);
  });

  it('ends for any amount of metadata', () => {
    const metadata = new Map(Array.from({ length: 1000 }, (_, at) => [`V${at}`, 'x'.repeat(1000)]));
    const much = snapshot('much', { metadata });
    const nested = '{{range .Config.Env}}{{range $.Config.Env}}{{end}}{{if true}}{{end}}{{end}}';
    expect(() => parseTagTemplate(nested.replaceAll('{{end}}{{if', 'a{{end}}{{if')).render(much)).toThrow(
      'steps',
    );
    expect(() => parseTagTemplate('{{join "," .Config.Env}}').render(much)).toThrow('characters');
    const brackets = `{{${'('.repeat(16_384)}1${')'.repeat(16_384)}}}`;
    expect(() => parseTagTemplate(brackets)).toThrow('deeper than 20 brackets');
  });

  it('gives text without actions unchanged, and only throws its own errors', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(
            '{{',
            '}}',
            '.',
            'Name',
            '"',
            '|',
            ' ',
            'if',
            'end',
            '(',
            ')',
            'a',
            '$',
            '-',
            '1',
          ),
        }),
        (text) => {
          try {
            const output = rendered(text);
            if (!text.includes('{{')) expect(output).toBe(text);
          } catch (error) {
            expect(error instanceof HeddleError || error instanceof TemplateError).toBe(true);
          }
        },
      ),
    );
  });
});

describe('metadata of a container in a template', () => {
  const filled = (template: string, metadata: Record<string, string>) => {
    const labelled = snapshot('a', {
      metadata: new Map(Object.entries(metadata)),
      labelNames: new Set(Object.keys(metadata)),
    });
    const started = performance.now();
    let result: string;
    try {
      result = parseTagTemplate(template).render(labelled);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      result = error.message;
    }
    expect(performance.now() - started).toBeLessThan(2_000);
    return result;
  };
  const long = 'a'.repeat(32_000);

  // A backtracking engine takes years over forty letters of these.
  it.each(['^(a+)+$', '^(a|aa)+$', '(a*)*b$', '^([a-z]+ ?)*$', '(x+x+)+y', '(.*)*=(.*)*!'])(
    'cannot make a pattern with nested quantifiers slow: %s',
    (pattern) => {
      const template = `{{split "," .Config.Labels.v | matchAllElements "${pattern}" | join ","}}`;
      expect(filled(template, { v: `${'a'.repeat(40)}!` })).toMatch(/^(a+!)?$/);
      expect(filled(template, { v: `${'x'.repeat(40)}!` })).toMatch(/^(x+!)?$/);
    },
  );

  it('cannot make its own pattern slow', () => {
    const template = '{{split "," .Config.Labels.v | matchAllElements .Config.Labels.p | join ","}}';
    for (const p of ['(a{1,100}){1,10}b', '(?:a?){500}(?:a){400}', '\\pL{900}', '(?=a)', 'a'.repeat(600)]) {
      expect(filled(template, { v: Array(8).fill('a'.repeat(4_000)).join(','), p })).toMatch(
        /^$|too much work|is not a regular|longer than/,
      );
    }
  });

  it.each([
    ['{{replace -1 "a" .Config.Labels.v .Config.Labels.v}}', 'a text in it is longer than 65536 characters'],
    ['{{split "" .Config.Labels.v | len}}', 'a list in it has more than 10000 elements'],
    [
      '{{join .Config.Labels.v (split "b" .Config.Labels.b)}}',
      'a text in it is longer than 65536 characters',
    ],
    [
      '{{range split "b" .Config.Labels.b}}{{toUpper $.Config.Labels.v | len}}{{end}}',
      'it takes too much work with the metadata of this container',
    ],
    ['{{jsonParse "{}" "constructor"}}{{jsonParse "[]" "length::toString"}}', ''],
  ])('has a bound in %s', (template, expected) => {
    expect(filled(template, { v: long, b: 'b'.repeat(1_000) })).toBe(expected);
  });

  it("takes registrator's syntax, which is RE2's", () => {
    const template = (pattern: string) =>
      `{{split "," "Foo,bar,é" | matchAllElements ${pattern} | join ","}}`;
    expect(filled(template('"(?i)^foo$"'), {})).toBe('Foo');
    expect(filled(template('`\\p{Lu}`'), {})).toBe('Foo');
    expect(filled(template('`[[:lower:]]{3}`'), {})).toBe('bar');
  });
});
