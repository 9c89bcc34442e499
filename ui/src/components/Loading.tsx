import { Button, Group, Skeleton, Text, VisuallyHidden } from "@mantine/core";
import { useEffect, useState } from "react";

/** A box of the final height: empty for 150 ms, then a skeleton, after 8 s in words. */
export function Loading({ what, height = 120, retry }: { what: string; height?: number; retry?: () => void }) {
  const late = useAfter(150);
  const veryLate = useAfter(8000);
  return (
    <div role="status" style={{ minHeight: height }}>
      <VisuallyHidden>Loading {what}</VisuallyHidden>
      {late && !veryLate && <Skeleton height={height} aria-hidden="true" />}
      {veryLate && (
        <Group>
          <Text>Still loading {what}…</Text>
          {retry && (
            <Button size="compact-sm" variant="default" onClick={retry}>
              Try again
            </Button>
          )}
        </Group>
      )}
    </div>
  );
}

function useAfter(ms: number): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return over;
}
