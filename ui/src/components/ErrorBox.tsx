import { Alert, Button, List, Text } from "@mantine/core";
import { Problem } from "../lib/problem";

export interface ErrorBoxProps {
  /** What failed, as verb and object: "load the log". */
  what: string;
  error: unknown;
  retry?: (() => void) | undefined;
}

/** What failed and the server's own words for it, with a way to try again. */
export function ErrorBox({ what, error, retry }: ErrorBoxProps) {
  const problem = error instanceof Problem ? error : undefined;
  return (
    <Alert
      color="red"
      variant="outline"
      role="alert"
      title={`Could not ${what}: ${problem?.title ?? "unexpected error on this page"}`}
    >
      <Text size="sm">{problem ? problem.detail : String(error)}</Text>
      {problem && problem.fields.length > 0 && (
        <List size="sm" mt="xs">
          {problem.fields.map((field) => (
            <List.Item key={`${field.location} ${field.message}`}>
              {field.location}: {field.message}
            </List.Item>
          ))}
        </List>
      )}
      {retry && (
        <Button size="compact-sm" variant="default" mt="xs" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
