import { Title } from "@mantine/core";
import { useEffect, useRef } from "react";

let first = true;

/** The heading of a page. It names the document, and gets the focus when the reader comes from another page. */
export function PageTitle({ title, children }: { title: string; children?: React.ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · DEC`;
  }, [title]);
  useEffect(() => {
    if (!first) heading.current?.focus({ preventScroll: true });
    first = false;
  }, []);
  return (
    <Title order={1} size="h2" ref={heading} tabIndex={-1} style={{ outline: "none", overflowWrap: "anywhere" }}>
      {children ?? title}
    </Title>
  );
}
