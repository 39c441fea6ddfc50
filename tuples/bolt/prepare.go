package bolt

import (
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// maxModelIDBytes bounds a model's id, which is a key of the file.
const maxModelIDBytes = 64

// prepare does what needs no state, on the caller's goroutine.
func prepare(c *tuples.Commit) (*write, error) {
	w := &write{Commit: c, grants: make([]grant, len(c.Mutations))}
	for i := range c.Mutations {
		var err error
		if w.grants[i], err = prepareMutation(&c.Mutations[i]); err != nil {
			return nil, tuples.Within(updateField(i), err)
		}
	}
	for _, check := range []func(*tuples.Commit) error{prepareShape, preparePreconditions, prepareDelete, prepareErase} {
		if err := check(c); err != nil {
			return nil, err
		}
	}
	if c.Bulk {
		var err error
		if w.bulk, err = prepareBulk(c); err != nil {
			return nil, err
		}
	}
	if c.ReadSet != nil {
		w.read = make(map[tuples.Userset]struct{}, len(c.ReadSet.Lists))
		for _, list := range c.ReadSet.Lists {
			w.read[list] = struct{}{}
		}
	}
	if m := c.NewModel; m != nil && (m.ID == "" || len(m.ID) > maxModelIDBytes) {
		return nil, tuples.Invalid("model.id", string(m.ID), fmt.Sprintf("is not of 1 to %d bytes", maxModelIDBytes), "use a ULID")
	}
	return w, nil
}

// prepareShape refuses what does not stand alone but must.
func prepareShape(c *tuples.Commit) error {
	parts := 0
	for _, there := range []bool{c.Erase != nil, c.Undo != nil, len(c.Mutations) > 0 || c.Delete != nil || c.NewModel != nil} {
		if there {
			parts++
		}
	}
	if parts > 1 {
		return tuples.Invalid("commit", "", "has an erase or an undo beside something else", "make a commit of each")
	}
	if n := len(c.Mutations); n > defaultLimits.listed && (c.Delete != nil || c.NewModel != nil) {
		return tuples.Invalid("updates", fmt.Sprint(n), fmt.Sprintf("are more than the %d that can come with a delete by filter or a model", defaultLimits.listed),
			"make a commit of each")
	}
	if c.Undo != nil && c.Undo.Revision == 0 {
		return tuples.Invalid("revision", "0", "is the empty store, which no change made", "name the revision of the change to undo")
	}
	return nil
}

func preparePreconditions(c *tuples.Commit) error {
	for i := range c.Preconditions {
		p := &c.Preconditions[i]
		if err := p.Filter.Validate(); err != nil {
			return tuples.Within(p.Field, err)
		}
	}
	return nil
}

func prepareDelete(c *tuples.Commit) error {
	if c.Delete == nil {
		return nil
	}
	if err := c.Delete.Filter.Validate(); err != nil {
		return tuples.Within("filter", err)
	}
	if c.Delete.Limit <= 0 {
		return tuples.Invalid("limit", fmt.Sprint(c.Delete.Limit), "is not positive", "say how many tuples may be deleted at most")
	}
	return nil
}

func prepareErase(c *tuples.Commit) error {
	if c.Erase == nil {
		return nil
	}
	if len(c.Erase.Objects) == 0 {
		return tuples.Invalid("objects", "", "is empty", "name an object to erase")
	}
	for i, o := range c.Erase.Objects {
		if err := o.Validate(); err != nil {
			return tuples.Within(fmt.Sprintf("objects[%d]", i), err)
		}
	}
	for i, a := range c.Erase.Along {
		if a.Type != "" {
			if err := tuples.ValidateType(a.Type); err != nil {
				return err.Within(fmt.Sprintf("along[%d].type", i))
			}
		}
		if err := tuples.ValidateRelation(a.Relation); err != nil {
			return err.Within(fmt.Sprintf("along[%d].relation", i))
		}
	}
	return nil
}

func prepareMutation(m *tuples.Mutation) (grant, error) {
	switch m.Op {
	case tuples.OpDelete:
		return nil, m.Tuple.Key.Validate()
	case tuples.OpCreate, tuples.OpTouch:
		if err := m.Tuple.Validate(); err != nil {
			return nil, err
		}
		return encodeGrant(m.Tuple.Grant)
	}
	return nil, tuples.Invalid("op", fmt.Sprint(uint8(m.Op)), "is not an operation", "use create, touch or delete")
}
