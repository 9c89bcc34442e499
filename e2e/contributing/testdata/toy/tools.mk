# The start script of the broker, as an artifact.

toy := $(artifacts)/toy/1.0.0/start

tools-toy: $(toy)

$(toy): technology/toy/tools/start
	@echo "installing the toy"
	@install -D -m 755 $< $@
